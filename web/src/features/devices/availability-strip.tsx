import { useQuery } from 'urql';
import { graphql } from '../../generated/index.ts';
import { useClock } from '../../ui/clock.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import { absoluteTime, elapsed } from '../../ui/time.ts';
import { formatShare } from './value.ts';

const deviceAvailabilityDocument = graphql(`
  query DeviceAvailability($key: String!, $from: DateTime!, $to: DateTime!) {
    device(by: { key: $key }) {
      id
      availability(from: $from, to: $to) {
        from
        to
        uptimeRatio
        changeCount
        parts(count: 48) {
          from
          uptimeRatio
        }
      }
    }
  }
`);

const dayMs = 86_400_000;
/** The strip moves on by this much. */
const stepMs = 300_000;

/** The last 24 hours, or the life of a younger device, in bars: the higher, the longer it was there meanwhile. */
export function AvailabilityStrip({ deviceKey }: { deviceKey: string }) {
  const toMs = useClock((ms) => Math.ceil(ms / stepMs) * stepMs);
  const [{ data, error }] = useQuery({
    query: deviceAvailabilityDocument,
    variables: {
      key: deviceKey,
      from: new Date(toMs - dayMs).toISOString(),
      to: new Date(toMs).toISOString(),
    },
    requestPolicy: 'cache-and-network',
  });
  const availability = data?.device?.availability;
  if (!availability) return error ? null : <Skeleton className="mt-2 h-5 w-full" />;
  const { from, to, parts, uptimeRatio, changeCount } = availability;
  const younger = Date.parse(from) > toMs - dayMs;
  const span = younger ? elapsed(Date.parse(from), Date.parse(to)) : '24 h';
  const share = formatShare(uptimeRatio ?? 0);
  return (
    <div className="mt-2 flex items-center gap-3 text-ink-3 text-xs">
      <span className="shrink-0">Last {span}</span>
      <div
        role="img"
        aria-label={`There ${share} of the last ${span}, ${changeCount} changes`}
        data-testid="availability"
        className="flex h-5 min-w-0 flex-1 items-end gap-px overflow-hidden rounded-sm bg-idle-soft"
      >
        {parts.map((part) => (
          <span
            key={part.from}
            title={`${absoluteTime(Date.parse(part.from))}: there ${formatShare(part.uptimeRatio ?? 0)}`}
            className="flex h-full min-w-0 flex-1 items-end"
          >
            <span
              className={`w-full ${(part.uptimeRatio ?? 0) >= 0.99 ? 'bg-good' : 'bg-warn'}`}
              style={{ height: `${(part.uptimeRatio ?? 0) * 100}%` }}
            />
          </span>
        ))}
      </div>
      <span className="shrink-0 text-ink-2 tabular-nums">{share} there</span>
    </div>
  );
}
