import { Building2, Ellipsis, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { type TenantRow, tenantListDocument } from './documents.ts';
import { useReason } from './reason.ts';
import { CreateTenant, type Step, StepDialog } from './tenant-dialogs.tsx';

type Open = { readonly what: 'create' } | { readonly what: Step; readonly tenant: TenantRow } | undefined;

/** Every tenant: make, suspend, resume, delete. */
export function Tenants() {
  const { direct, viewer } = useAccount();
  const reason = useReason();
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<Open>();
  const pager = useMemo(
    () =>
      createPager({
        client: direct,
        document: tenantListDocument,
        variables: (after) => ({ reason, first: 50, after, where: search === '' ? null : { search } }),
        read: ({ operator: { tenants } }) => ({
          ...tenants.pageInfo,
          nodes: tenants.nodes,
          totalCount: tenants.totalCount,
        }),
      }),
    [direct, reason, search],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const columns = useMemo(() => tenantColumns(viewer.tenant.slug, setOpen), [viewer.tenant.slug]);
  const done = { onDone: pager.reload, onClose: () => setOpen(undefined) };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet */}
      <div role="search" className="flex shrink-0 items-center gap-2 px-4 py-3 sm:px-5">
        <SearchField value={search} onChange={setSearch} label="Name of a tenant" />
        <Button look="primary" className="ml-auto" onClick={() => setOpen({ what: 'create' })}>
          <Plus aria-hidden="true" className="size-4" />
          New tenant
        </Button>
      </div>
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={Building2}
          title="Nothing matches"
          action={<Button onClick={() => setSearch('')}>All tenants</Button>}
        >
          No tenant has that in its name.
        </EmptyState>
      ) : (
        <DataTable
          label="Tenants"
          columns={columns}
          rows={nodes}
          rowId={(tenant) => tenant.slug}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open?.what === 'create' && <CreateTenant {...done} />}
      {open && open.what !== 'create' && <StepDialog step={open.what} tenant={open.tenant} {...done} />}
    </>
  );
}

function tenantColumns(own: string, onOpen: (open: Open) => void): readonly Column<TenantRow>[] {
  return [
    {
      id: 'name',
      header: 'Tenant',
      track: 'minmax(9rem, 2fr)',
      cell: (tenant) => (
        <>
          <span className="block truncate font-medium">{tenant.name}</span>
          <span className="block truncate font-mono text-ink-3 text-xs">{tenant.slug}</span>
        </>
      ),
    },
    {
      id: 'status',
      header: 'State',
      track: 'minmax(8rem, 1fr)',
      cell: (tenant) => <State tenant={tenant} />,
    },
    {
      id: 'devices',
      header: 'Devices',
      track: '8rem',
      from: 'sm',
      cell: ({ deviceCount, onlineCount }) => (
        <span className="tabular-nums">
          {deviceCount.toLocaleString()}{' '}
          <span className="text-ink-3">({onlineCount.toLocaleString()} online)</span>
        </span>
      ),
    },
    {
      id: 'stored',
      header: 'Readings',
      track: '8rem',
      from: 'lg',
      cell: ({ total }) => <span className="tabular-nums">{total.stored.toLocaleString()}</span>,
    },
    {
      id: 'last',
      header: 'Last reading',
      track: '8rem',
      from: 'lg',
      cell: (tenant) => <RelativeTime at={tenant.lastReadingAt} className="text-ink-2" />,
    },
    {
      id: 'actions',
      header: '',
      track: '2.5rem',
      cell: (tenant) =>
        tenant.slug !== own && !tenant.purgeStartedAt && <Actions tenant={tenant} onOpen={onOpen} />,
    },
  ];
}

function State({ tenant }: { tenant: TenantRow }) {
  if (tenant.status === 'ACTIVE') return <StatusBadge shape="disc" tone="good" label="Active" />;
  if (tenant.status === 'SUSPENDED') return <StatusBadge shape="square" tone="warn" label="Suspended" />;
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <StatusBadge shape="triangle" tone="bad" label="Deleting" />
      {!tenant.purgeStartedAt && (
        <RelativeTime at={tenant.deleteAfter} ahead className="text-ink-3 text-xs" />
      )}
    </span>
  );
}

function Actions({ tenant, onOpen }: { tenant: TenantRow; onOpen: (open: Open) => void }) {
  const item = (what: Step, label: string, danger = false) => (
    <MenuItem danger={danger} onSelect={() => onOpen({ what, tenant })}>
      {label}
    </MenuItem>
  );
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label={`Actions for ${tenant.name}`}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </Button>
      }
    >
      {tenant.status === 'ACTIVE' && item('suspend', 'Suspend…')}
      {tenant.status === 'SUSPENDED' && item('resume', 'Resume…')}
      {tenant.status === 'DELETING' ? item('cancel', 'Keep it after all…') : item('delete', 'Delete…', true)}
    </Menu>
  );
}
