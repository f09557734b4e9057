import { Link } from 'react-router';
import { useQuery } from 'urql';
import type { ConservationQuery } from '../../generated/graphql.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { conservationDocument } from './documents.ts';

type Account = ConservationQuery['viewer']['tenant']['conservation'];
type Letters = ConservationQuery['deadLetters']['nodes'];

/** Where everything is that was acknowledged to devices. */
export function Conservation() {
  const [{ data, error }, ask] = useQuery({
    query: conservationDocument,
    requestPolicy: 'cache-and-network',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  return (
    <>
      <PageHeader title="Ingest" actions={<Button onClick={again}>Refresh</Button>} />
      {error && !data ? (
        <ErrorPanel error={error} onRetry={again} />
      ) : data ? (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-6 px-4 py-4 sm:px-5">
          <Balance account={data.viewer.tenant.conservation} />
          <Days days={data.viewer.tenant.conservation.days} />
          <DeadLetters letters={data.deadLetters.nodes} />
        </div>
      ) : (
        <Skeleton className="m-5 h-64 rounded-lg" />
      )}
    </>
  );
}

const count = (value: number): string => value.toLocaleString();

function Balance({ account }: { account: Account }) {
  const { accepted, stored, duplicate, quarantined, deadLettered, inFlight, complete, difference } = account;
  const terms = [
    ['stored', stored],
    ['duplicate', duplicate],
    ['quarantined', quarantined],
    ['dead letters', deadLettered],
    ['in flight', inFlight],
  ] as const;
  return (
    <section aria-label="Conservation" className="rounded-lg border border-line bg-surface p-4 shadow-1">
      <dl className="flex flex-wrap items-end gap-x-3 gap-y-3">
        <Term name="accepted" value={accepted} />
        {terms.map(([name, value], index) => (
          <Term key={name} sign={index === 0 ? '=' : '+'} name={name} value={value} />
        ))}
      </dl>
      <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-ink-2 text-sm">
        {difference === 0 ? (
          <StatusBadge shape="disc" tone="good" label="Everything has its place" soft />
        ) : (
          <StatusBadge shape="triangle" tone="bad" label={`${count(difference)} without a place`} soft />
        )}
        {!complete && <span>More is in flight than can be counted.</span>}
        {quarantined > 0 && (
          <Link to="/quarantine" className="rounded-sm text-accent hover:underline">
            Show the quarantine
          </Link>
        )}
        <Link to="/messages" className="rounded-sm text-accent hover:underline">
          Follow one message
        </Link>
      </div>
    </section>
  );
}

function Term({ name, value, sign }: { name: string; value: number; sign?: string }) {
  return (
    <div className="flex flex-col-reverse">
      <dt className={sign ? 'pl-5 text-ink-3 text-xs' : 'text-ink-3 text-xs'}>{name}</dt>
      <dd className={sign ? 'text-xl tabular-nums' : 'font-semibold text-xl tabular-nums'}>
        {sign && (
          <span aria-hidden="true" className="inline-block w-5 text-ink-3">
            {sign}
          </span>
        )}
        {count(value)}
      </dd>
    </div>
  );
}

const cell = 'px-3 py-1.5 text-right tabular-nums';

function Days({ days }: { days: Account['days'] }) {
  if (days.length === 0)
    return (
      <p className="text-ink-2">
        Nothing has been received yet.{' '}
        <Link to="/new-device" className="rounded-sm text-accent hover:underline">
          Connect a device
        </Link>
      </p>
    );
  const heads = ['Accepted', 'Stored', 'Duplicate', 'Quarantined', 'Dead letters'];
  return (
    <section>
      <h2 className="mb-2 font-semibold text-sm">By day, UTC</h2>
      <div className="overflow-x-auto rounded-lg border border-line bg-surface">
        <table className="w-full text-sm">
          <thead>
            <tr className="border-line border-b text-ink-3 text-xs">
              <th scope="col" className="px-3 py-2 text-left font-medium">
                Day
              </th>
              {heads.map((head) => (
                <th key={head} scope="col" className="px-3 py-2 text-right font-medium">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {days.toReversed().map((day) => (
              <tr key={day.day}>
                <th scope="row" className="whitespace-nowrap px-3 py-1.5 text-left font-normal">
                  {day.day}
                </th>
                {[day.accepted, day.stored, day.duplicate, day.quarantined, day.deadLettered].map(
                  (value, index) => (
                    <td key={heads[index]} className={cell}>
                      {count(value)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function DeadLetters({ letters }: { letters: Letters }) {
  if (letters.length === 0) return null;
  return (
    <section>
      <h2 className="mb-2 font-semibold text-sm">Newest dead letters</h2>
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
        {letters.map((letter) => (
          <li key={letter.id} className="flex flex-wrap items-baseline gap-x-4 px-3 py-2 text-sm">
            <RelativeTime at={letter.at} className="w-24 text-ink-2" />
            <span className="font-mono">{letter.deviceKey ?? '–'}</span>
            <span className="min-w-0 flex-1 break-words text-ink-2">{letter.reason}</span>
            {letter.receipt && (
              <Link
                to={`/messages?id=${encodeURIComponent(letter.receipt)}`}
                className="rounded-sm text-accent hover:underline"
              >
                Its way
              </Link>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
