import { ScrollText } from 'lucide-react';
import { useMemo } from 'react';
import { useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { type PlatformEntry, platformAuditDocument } from './documents.ts';
import { useReason } from './reason.ts';

/** Who looked at what and did what across tenants, and why. */
export function PlatformLog() {
  const { direct } = useAccount();
  const reason = useReason();
  const pager = useMemo(
    () =>
      createPager({
        client: direct,
        document: platformAuditDocument,
        variables: (after) => ({ reason, first: 50, after }),
        read: ({ operator: { audit } }) => ({ ...audit.pageInfo, nodes: audit.nodes }),
      }),
    [direct, reason],
  );
  const { nodes, hasMore, loading, error } = usePager(pager);
  if (error && nodes.length === 0) return <ErrorPanel error={error} onRetry={pager.reload} />;
  if (loading === false && nodes.length === 0)
    return (
      <EmptyState icon={ScrollText} title="Nobody has looked yet">
        The next look is the first entry.
      </EmptyState>
    );
  return (
    <DataTable
      label="Log of the platform"
      columns={columns}
      rows={nodes}
      rowId={(entry) => entry.id}
      rowHeight={52}
      hasMore={hasMore}
      loading={loading}
      onNearEnd={pager.loadMore}
    />
  );
}

const actions: Readonly<Record<string, string>> = {
  operatorAccess: 'Looked',
  tenantCreate: 'Created a tenant',
  tenantSuspend: 'Suspended a tenant',
  tenantResume: 'Resumed a tenant',
  tenantDelete: 'Deleted a tenant',
  tenantDeleteCancel: 'Kept a tenant',
  tenantPurge: 'Tenant is gone',
};

/** `tenants, streams` of `tenants.nodes.slug`, `streams.name`. */
const summaryOf = ({ tenants, fields }: PlatformEntry): string =>
  tenants.length > 0
    ? tenants.join(', ')
    : [...new Set(fields.map((field) => field.split('.')[0]))].join(', ');

const columns: readonly Column<PlatformEntry>[] = [
  {
    id: 'at',
    header: 'When',
    track: '7.5rem',
    cell: (entry) => <RelativeTime at={entry.at} className="text-ink-2" />,
  },
  {
    id: 'what',
    header: 'Who did what',
    track: 'minmax(9rem, 1fr)',
    cell: (entry) => (
      <>
        <span className="block truncate font-medium">{actions[entry.action] ?? entry.action}</span>
        <span className="block truncate text-ink-3 text-xs">
          {entry.actorName}: {entry.reason}
        </span>
      </>
    ),
  },
  {
    id: 'of',
    header: 'To what',
    track: 'minmax(7rem, 1fr)',
    from: 'sm',
    cell: (entry) => <span className="block truncate font-mono text-sm">{summaryOf(entry)}</span>,
  },
  {
    id: 'reason',
    header: 'Why',
    track: 'minmax(8rem, 2fr)',
    from: 'lg',
    cell: (entry) => <span className="block truncate">{entry.reason}</span>,
  },
];
