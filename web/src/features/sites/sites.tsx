import { Ellipsis, MapPin, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { connectivity, freshness, type Look } from '../devices/presence.ts';
import { DeleteSite, SiteDrawer } from './site-dialogs.tsx';
import { type SiteRow, sitePageDocument } from './site-documents.ts';

const pageSize = 50;

type Open =
  | { readonly what: 'new' }
  | { readonly what: 'edit' | 'delete'; readonly site: SiteRow }
  | undefined;

/** Places and how their devices are. Each count is a view of the device list. */
export function Sites() {
  const client = useClient();
  const { viewer } = useAccount();
  const mayWrite = mayWriteDevices(viewer.role);
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<Open>();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: sitePageDocument,
        variables: (after) => ({ first: pageSize, after, where: search === '' ? null : { search } }),
        read: ({ sites }) => ({ ...sites.pageInfo, nodes: sites.nodes, totalCount: sites.totalCount }),
      }),
    [client, search],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const columns = useMemo(() => siteColumns(mayWrite ? setOpen : undefined), [mayWrite]);
  const close = () => setOpen(undefined);
  const add = (
    <Button look="primary" onClick={() => setOpen({ what: 'new' })}>
      <Plus aria-hidden="true" className="size-4" />
      New site
    </Button>
  );
  return (
    <>
      <PageHeader title="Sites" actions={mayWrite && add} />
      <div className="shrink-0 border-line border-b px-4 pb-3 sm:px-5">
        <SearchField value={search} onChange={setSearch} label="Name, key or address" />
      </div>
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={MapPin}
          title={search === '' ? 'No sites yet' : 'No site matches'}
          action={
            search === '' ? mayWrite && add : <Button onClick={() => setSearch('')}>Clear the search</Button>
          }
        >
          A site is a place where devices are: a depot, a train, a roof.
        </EmptyState>
      ) : (
        <DataTable
          label="Sites"
          columns={columns}
          rows={nodes}
          rowId={(site) => site.id}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open?.what === 'new' && <SiteDrawer onDone={pager.reload} onClose={close} />}
      {open?.what === 'edit' && <SiteDrawer site={open.site} onDone={pager.reload} onClose={close} />}
      {open?.what === 'delete' && <DeleteSite site={open.site} onDone={pager.reload} onClose={close} />}
    </>
  );
}

const listOf = (site: SiteRow, filter = '') => `/devices?site=${encodeURIComponent(site.key)}${filter}`;

type CountProps = { site: SiteRow; count: number; look: Look; filter: string };

/** How many devices are in a state, leading to them; nothing stands out about none. */
function Count({ site, count, look, filter }: CountProps) {
  if (count === 0) return <span className="text-ink-3">0</span>;
  return (
    <Link
      to={listOf(site, filter)}
      aria-label={`${count} ${look.label}`}
      className="rounded-sm hover:underline"
    >
      <StatusBadge {...look} label={count.toLocaleString()} />
    </Link>
  );
}

function siteColumns(onOpen: ((open: Open) => void) | undefined): readonly Column<SiteRow>[] {
  const counts = [
    { id: 'online', look: connectivity.ONLINE, filter: '&connection=online', from: 'base' },
    { id: 'offline', look: connectivity.OFFLINE, filter: '&connection=offline', from: 'sm' },
    { id: 'stale', look: freshness.STALE, filter: '&freshness=stale', from: 'lg' },
    { id: 'silent', look: freshness.SILENT, filter: '&freshness=silent', from: 'sm' },
  ] as const;
  return [
    {
      id: 'name',
      header: 'Name',
      track: 'minmax(6.5rem, 2fr)',
      cell: (site) => (
        <>
          <Link to={listOf(site)} className="block truncate font-medium hover:underline">
            {site.name}
          </Link>
          <span className="block truncate font-mono text-ink-3 text-xs">{site.key}</span>
        </>
      ),
    },
    {
      id: 'address',
      header: 'Address',
      track: 'minmax(8rem, 2fr)',
      from: 'lg',
      cell: (site) => (
        <>
          <span className="block truncate">{site.address || '–'}</span>
          <span className="block truncate text-ink-3 text-xs">{site.timezone}</span>
        </>
      ),
    },
    {
      id: 'devices',
      header: 'Devices',
      track: '4.5rem',
      cell: ({ rollup }) => rollup.devices.toLocaleString(),
    },
    ...counts.map(
      ({ id, look, filter, from }): Column<SiteRow> => ({
        id,
        header: look.label,
        track: '4.5rem',
        ...(from !== 'base' && { from }),
        cell: (site) => <Count site={site} count={site.rollup[id]} look={look} filter={filter} />,
      }),
    ),
    ...(onOpen
      ? [
          {
            id: 'actions',
            header: '',
            track: '2.5rem',
            cell: (site: SiteRow) => <Actions site={site} onOpen={onOpen} />,
          },
        ]
      : []),
  ];
}

function Actions({ site, onOpen }: { site: SiteRow; onOpen: (open: Open) => void }) {
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label={`Actions for ${site.name}`}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => onOpen({ what: 'edit', site })}>Edit…</MenuItem>
      <MenuItem danger onSelect={() => onOpen({ what: 'delete', site })}>
        Delete…
      </MenuItem>
    </Menu>
  );
}
