import { Inbox } from 'lucide-react';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useAccount } from '../../auth/viewer.tsx';
import { readMetrics } from '../../data/latest.ts';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { DeviceReadingsQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';
import { useBreakpoint } from '../../ui/breakpoint.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { absoluteTime, duration } from '../../ui/time.ts';
import { useDevice } from './device-detail.ts';
import { formatValue } from './value.ts';

const pageSize = 50;

const deviceReadingsDocument = graphql(`
  query DeviceReadings($id: ID!, $first: Int!, $after: String) {
    device(by: { id: $id }) {
      id
      readings(first: $first, after: $after) {
        nodes {
          id
          at
          receivedAt
          storedAt
          messageId
          metrics
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

type Reading = NonNullable<DeviceReadingsQuery['device']>['readings']['nodes'][number];

/** How long a message took to arrive; a clock that runs ahead shows as 0. */
function delay(reading: Reading): string {
  const ms = Date.parse(reading.receivedAt) - Date.parse(reading.at);
  return ms < 1_000 ? `${Math.max(0, ms)} ms` : duration(ms);
}

function Metrics({ reading }: { reading: Reading }) {
  return (
    <span className="flex min-w-0 gap-4 overflow-hidden">
      {readMetrics(reading.metrics).map(([metric, value]) => (
        <span key={metric} className="shrink-0">
          <span className="text-ink-3 text-xs">{metric}</span> {formatValue(value)}
        </span>
      ))}
    </span>
  );
}

function MeasuredAt({ reading }: { reading: Reading }) {
  return (
    <time dateTime={reading.at} className="whitespace-nowrap text-ink-2">
      {absoluteTime(Date.parse(reading.at))}
    </time>
  );
}

/** Columns on a phone. */
const compactColumns: readonly Column<Reading>[] = [
  {
    id: 'reading',
    header: 'Reading',
    track: 'minmax(0, 1fr)',
    cell: (reading) => (
      <>
        <MeasuredAt reading={reading} />
        <Metrics reading={reading} />
      </>
    ),
  },
];

const columns: readonly Column<Reading>[] = [
  { id: 'at', header: 'Measured at', track: '12rem', cell: (reading) => <MeasuredAt reading={reading} /> },
  {
    id: 'metrics',
    header: 'Values',
    track: 'minmax(0, 1fr)',
    cell: (reading) => <Metrics reading={reading} />,
  },
  {
    id: 'delay',
    header: 'Arrived after',
    track: '6rem',
    cell: (reading) => (
      <span className="text-ink-3" title={`Received ${reading.receivedAt}, stored ${reading.storedAt}`}>
        {delay(reading)}
      </span>
    ),
  },
  {
    id: 'message',
    header: 'Message',
    track: '11rem',
    from: 'lg',
    cell: (reading) => (
      <span className="flex items-center">
        <Link
          to={`/messages?id=${encodeURIComponent(reading.id)}`}
          title="Follow it through the platform"
          className="truncate rounded-sm font-mono text-ink-3 text-xs hover:text-accent hover:underline"
        >
          {reading.messageId}
        </Link>
        <CopyButton text={reading.messageId} label="Copy message id" />
      </span>
    ),
  },
];

/** Every reading as it was stored, newest first. */
export function DeviceReadings() {
  const { id, key } = useDevice();
  const { direct } = useAccount();
  const compact = useBreakpoint() === 'base';
  const pager = useMemo(
    () =>
      createPager({
        client: direct,
        document: deviceReadingsDocument,
        variables: (after) => ({ id, first: pageSize, after }),
        read: ({ device }) => device && { ...device.readings.pageInfo, nodes: device.readings.nodes },
      }),
    [direct, id],
  );
  const { nodes, hasMore, loading, error } = usePager(pager);
  if (error && nodes.length === 0) return <ErrorPanel error={error} onRetry={pager.reload} />;
  if (loading === false && nodes.length === 0) {
    return (
      <EmptyState
        icon={Inbox}
        title="No readings"
        action={<Button onClick={pager.reload}>Look again</Button>}
      >
        Nothing from <span className="font-mono">{key}</span> is stored.
      </EmptyState>
    );
  }
  return (
    <div className="flex h-[calc(100dvh-7rem)] min-h-96 flex-col">
      <div className="flex items-center justify-between gap-3 px-4 py-2 sm:px-5">
        <p className="text-ink-3 text-sm">Newest first, as stored.</p>
        <Button onClick={pager.reload}>Refresh</Button>
      </div>
      <DataTable
        label="Readings"
        columns={compact ? compactColumns : columns}
        rows={nodes}
        rowId={(reading) => reading.id}
        rowHeight={38}
        tallRowHeight={56}
        hasMore={hasMore}
        loading={loading}
        onNearEnd={pager.loadMore}
      />
    </div>
  );
}
