import { SearchX } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { connectivity } from '../devices/presence.ts';
import { deviceSearchDocument, type OperatedDevice } from './documents.ts';
import { useReason } from './reason.ts';

const minSearch = 2;

/** Finds a device of whichever tenant. */
export function OperatedDevices() {
  const [search, setSearch] = useState('');
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet */}
      <div role="search" className="flex shrink-0 items-center gap-2 px-4 py-3 sm:px-5">
        <SearchField value={search} onChange={setSearch} label="Key, name or serial number" />
      </div>
      {search.trim().length < minSearch ? (
        <EmptyState icon={SearchX} title="Which device?">
          Type at least {minSearch} characters of its key, name or serial number.
        </EmptyState>
      ) : (
        <Found search={search.trim()} />
      )}
    </>
  );
}

function Found({ search }: { search: string }) {
  const { direct } = useAccount();
  const reason = useReason();
  const pager = useMemo(
    () =>
      createPager({
        client: direct,
        document: deviceSearchDocument,
        variables: (after) => ({ reason, first: 50, after, search }),
        read: ({ operator: { devices } }) => ({ ...devices.pageInfo, nodes: devices.nodes }),
      }),
    [direct, reason, search],
  );
  const { nodes, hasMore, loading, error } = usePager(pager);
  if (error && nodes.length === 0) return <ErrorPanel error={error} onRetry={pager.reload} />;
  if (loading === false && nodes.length === 0)
    return (
      <EmptyState icon={SearchX} title="Nothing matches">
        No device of any tenant has that in its key, name or serial number. Try less of it.
      </EmptyState>
    );
  return (
    <DataTable
      label="Devices of every tenant"
      columns={columns}
      rows={nodes}
      rowId={({ tenant, key }) => `${tenant.slug}/${key}`}
      rowHeight={52}
      hasMore={hasMore}
      loading={loading}
      onNearEnd={pager.loadMore}
    />
  );
}

const columns: readonly Column<OperatedDevice>[] = [
  {
    id: 'device',
    header: 'Device',
    track: 'minmax(9rem, 2fr)',
    cell: (device) => (
      <>
        <span className="block truncate font-medium">{device.name}</span>
        <span className="block truncate font-mono text-ink-3 text-xs">{device.key}</span>
      </>
    ),
  },
  { id: 'tenant', header: 'Tenant', track: 'minmax(6rem, 1fr)', cell: (device) => device.tenant.name },
  {
    id: 'connection',
    header: 'Connection',
    track: '8rem',
    from: 'sm',
    cell: (device) => <StatusBadge {...connectivity[device.connection]} />,
  },
  {
    id: 'seen',
    header: 'Last seen',
    track: '8rem',
    from: 'sm',
    cell: (device) => <RelativeTime at={device.lastSeenAt} className="text-ink-2" />,
  },
];
