import { RelativeTime } from '../../ui/relative-time.tsx';
import type { DeviceDetail } from './device-detail.ts';
import { formatValue } from './value.ts';

/** The newest value of every metric and how old it is, live. */
export function LatestTable({ latest }: { latest: DeviceDetail['latest'] }) {
  return (
    <section
      aria-labelledby="latest-heading"
      className="min-w-0 rounded-lg border border-line bg-surface shadow-1"
    >
      <h2 id="latest-heading" className="border-line border-b px-3.5 py-2.5 font-semibold">
        Latest values
      </h2>
      {latest.length === 0 ? (
        <p className="px-3.5 py-6 text-center text-ink-2">No values yet.</p>
      ) : (
        <table data-testid="latest-values" className="w-full table-fixed">
          <thead className="sr-only">
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Value</th>
              <th scope="col">Measured</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {latest.map(({ metric, value, at }) => (
              <tr key={metric} data-metric={metric} className="hover:bg-hover">
                <th
                  scope="row"
                  className="truncate py-2 pl-3.5 text-left font-normal text-ink-2 text-sm"
                  title={metric}
                >
                  {metric}
                </th>
                <td className="truncate py-2 pl-2 text-right font-semibold" title={formatValue(value)}>
                  {formatValue(value)}
                </td>
                <td className="w-24 py-2 pr-3.5 text-right text-ink-3 text-xs">
                  <RelativeTime at={at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
