import { ListOrdered } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { graphql } from '../../generated/index.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Elapsed, RelativeTime } from '../../ui/relative-time.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { useDevice } from './device-detail.ts';
import { devicePath } from './device-link.ts';
import { formatCount } from './value.ts';

const deviceSequenceDocument = graphql(`
  query DeviceSequence($key: String!) {
    device(by: { key: $key }) {
      id
      sequence {
        boot
        lastSeq
        received
        duplicates
        outOfOrder
        missing
        lastMessageAt
        gaps(first: 10) {
          from
          to
          missing
          firstSeenAt
          healedAt
        }
      }
    }
  }
`);

/** What arrived and what is missing, by the numbers the device gives its messages. */
export function DeviceSequence() {
  const device = useDevice();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: deviceSequenceDocument,
    variables: { key: device.key },
    requestPolicy: 'cache-and-network',
  });
  const sequence = data?.device?.sequence;
  if (!data && fetching) return <Skeleton className="m-3.5 w-40" />;
  if (!data && error)
    return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (!sequence) {
    return (
      <EmptyState
        icon={ListOrdered}
        title="No numbered messages"
        action={
          <Link to={devicePath(device.key, 'readings')} className="font-medium text-accent hover:underline">
            See what it sent
          </Link>
        }
      >
        Let the device send <code className="font-mono text-sm">seq</code> and{' '}
        <code className="font-mono text-sm">boot</code> with every message, and what is lost shows here.
      </EmptyState>
    );
  }
  return (
    <>
      <dl className="grid grid-cols-2 gap-px bg-line sm:grid-cols-4">
        <Count name="Received" value={sequence.received} />
        <Count name="Missing" value={sequence.missing} alarming />
        <Count name="Duplicates" value={sequence.duplicates} />
        <Count name="Out of order" value={sequence.outOfOrder} />
      </dl>
      <p className="border-line border-t px-3.5 py-2 text-ink-2 text-sm">
        Last number <span className="font-mono">{sequence.lastSeq}</span> of boot{' '}
        <span className="font-mono">{sequence.boot}</span>, <RelativeTime at={sequence.lastMessageAt} />
      </p>
      {sequence.gaps.length > 0 && (
        <ul aria-label="Gaps" className="divide-y divide-line border-line border-t">
          {sequence.gaps.map((gap) => (
            <li
              key={gap.from}
              className="flex min-h-9 flex-wrap items-center gap-x-3 px-3.5 py-1.5 text-ink-3 text-sm"
            >
              <span className="font-mono text-ink">
                {gap.from === gap.to ? gap.from : `${gap.from}–${gap.to}`}
              </span>
              {gap.healedAt ? (
                <StatusBadge shape="disc" tone="good" label="Healed" />
              ) : (
                <StatusBadge shape="triangle" tone="warn" label={`${formatCount(gap.missing)} missing`} />
              )}
              <span className="ml-auto">
                {gap.healedAt ? (
                  <RelativeTime at={gap.healedAt} />
                ) : (
                  <>
                    for <Elapsed since={gap.firstSeenAt} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Count({
  name,
  value,
  alarming = false,
}: {
  name: string;
  value: number;
  alarming?: boolean;
}): ReactNode {
  return (
    <div className="bg-surface px-3.5 py-2">
      <dt className="text-ink-3 text-xs">{name}</dt>
      <dd className={`tabular-nums ${alarming && value > 0 ? 'font-semibold text-warn' : ''}`}>
        {formatCount(value)}
      </dd>
    </div>
  );
}
