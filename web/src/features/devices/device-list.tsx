import { Cpu, FileUp, Plus, SearchX } from 'lucide-react';
import { useCallback, useMemo } from 'react';
import { Link } from 'react-router';
import { useClient, useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { graphql } from '../../generated/index.ts';
import { PageHeader } from '../../shell/page.tsx';
import { useBreakpoint } from '../../ui/breakpoint.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { compactColumns, deviceColumns } from './device-columns.tsx';
import { DeviceFacets } from './device-facets.tsx';
import {
  connections,
  type DeviceView,
  deviceViewCodec,
  emptyView,
  freshnesses,
  isFiltered,
  statuses,
  toDeviceFilter,
  toDeviceOrder,
} from './device-view.ts';
import { connectivity, deviceStatus, freshness } from './presence.ts';
import { siteListDocument } from './site-list.ts';
import { useVisibleLive } from './use-visible-live.ts';

const pageSize = 50;

const deviceListDocument = graphql(`
  query DeviceList($first: Int!, $after: String, $where: DeviceFilter, $orderBy: DeviceOrder, $withTotal: Boolean!) {
    devices(first: $first, after: $after, where: $where, orderBy: $orderBy) {
      totalCount @include(if: $withTotal)
      nodes {
        ...DeviceRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

function toOptions<Value extends string>(
  values: readonly Value[],
  looks: Record<Value, { readonly label: string }>,
) {
  return values.map((value) => ({ value, label: looks[value].label }));
}
const connectionOptions = toOptions(connections, connectivity);
const freshnessOptions = toOptions(freshnesses, freshness);
const statusOptions = toOptions(statuses, deviceStatus);

/** All devices: filtered and sorted by the URL, live where they can be seen. */
export function DeviceList() {
  const client = useClient();
  const { viewer } = useAccount();
  const compact = useBreakpoint() === 'base';
  const [view, setView] = useUrlState(deviceViewCodec);
  const key = deviceViewCodec.format(view).toString();
  const pager = useMemo(() => {
    const wanted = deviceViewCodec.parse(new URLSearchParams(key));
    return createPager({
      client,
      document: deviceListDocument,
      variables: (after) => ({
        first: pageSize,
        after,
        where: toDeviceFilter(wanted),
        orderBy: toDeviceOrder(wanted),
        withTotal: after === null,
      }),
      read: ({ devices }) => ({ ...devices.pageInfo, nodes: devices.nodes, totalCount: devices.totalCount }),
    });
  }, [client, key]);
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const onVisible = useVisibleLive();
  const mayWrite = mayWriteDevices(viewer.role);

  return (
    <>
      <PageHeader
        title="Devices"
        actions={
          mayWrite && (
            <>
              <Link to="/import-devices" className={buttonClass('plain')}>
                <FileUp aria-hidden="true" className="size-4" />
                Import
              </Link>
              <Link to="/new-device" className={buttonClass('primary')}>
                <Plus aria-hidden="true" className="size-4" />
                New device
              </Link>
            </>
          )
        }
      />
      <DeviceFacets view={view} onChange={setView} />
      <Filters view={view} onChange={setView} count={totalCount} />
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <NoDevices filtered={isFiltered(view)} mayWrite={mayWrite} onClear={() => setView(emptyView)} />
      ) : (
        <DataTable
          label="Devices"
          columns={compact ? compactColumns : deviceColumns}
          rows={nodes}
          rowId={(device) => device.id}
          sort={view.sort}
          onSort={(sort) => setView({ ...view, sort })}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
          onVisible={onVisible}
        />
      )}
    </>
  );
}

type FiltersProps = { view: DeviceView; onChange: (view: DeviceView) => void; count: number | undefined };

function Filters({ view, onChange, count }: FiltersProps) {
  const [{ data }] = useQuery({ query: siteListDocument });
  const sites = data?.sites.nodes ?? [];
  const onSearch = useCallback((search: string) => onChange({ ...view, search }), [view, onChange]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet
    <div
      role="search"
      className="flex shrink-0 flex-wrap items-center gap-2 border-line border-b px-4 pb-3 sm:px-5"
    >
      <SearchField value={view.search} onChange={onSearch} label="Name, key or serial number" />
      <div className="-mx-4 flex max-w-[100vw] gap-2 overflow-x-auto px-4 py-px max-sm:w-screen sm:mx-0 sm:flex-wrap sm:px-0">
        <FilterMenu
          label="Connection"
          options={connectionOptions}
          value={view.connections}
          onChange={(value) => onChange({ ...view, connections: value })}
        />
        <FilterMenu
          label="Freshness"
          options={freshnessOptions}
          value={view.freshness}
          onChange={(value) => onChange({ ...view, freshness: value })}
        />
        {sites.length > 0 && (
          <FilterMenu
            label="Site"
            options={sites.map((site) => ({ value: site.key, label: site.name }))}
            value={view.sites}
            onChange={(value) => onChange({ ...view, sites: value })}
          />
        )}
        <FilterMenu
          label="Status"
          options={statusOptions}
          value={view.statuses}
          onChange={(value) => onChange({ ...view, statuses: value })}
        />
        {view.tags.map((tag) => (
          <Button
            key={tag}
            look="plain"
            aria-label={`Remove filter: tag ${tag}`}
            onClick={() => onChange({ ...view, tags: view.tags.filter((each) => each !== tag) })}
          >
            tag: {tag} ×
          </Button>
        ))}
        {isFiltered(view) && (
          <Button look="quiet" onClick={() => onChange({ ...emptyView, sort: view.sort })}>
            Clear filters
          </Button>
        )}
      </div>
      <span role="status" className="ml-auto hidden text-ink-3 text-sm sm:block">
        {count !== undefined && `${count.toLocaleString()} ${count === 1 ? 'device' : 'devices'}`}
      </span>
    </div>
  );
}

function NoDevices({
  filtered,
  mayWrite,
  onClear,
}: {
  filtered: boolean;
  mayWrite: boolean;
  onClear: () => void;
}) {
  if (filtered) {
    return (
      <EmptyState
        icon={SearchX}
        title="No device matches"
        action={<Button onClick={onClear}>Clear filters</Button>}
      >
        Nothing in this fleet fits the search and filters.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={Cpu}
      title="No devices yet"
      action={
        mayWrite && (
          <Link to="/new-device" className={buttonClass('primary')}>
            Connect the first device
          </Link>
        )
      }
    >
      {mayWrite
        ? 'It takes a minute: name it, copy a command, watch its first message arrive.'
        : 'An engineer or admin of this tenant can add the first one.'}
    </EmptyState>
  );
}
