import { Cpu, FileUp, MapPinned, Plus, SearchX } from 'lucide-react';
import { lazy, Suspense, useMemo, useRef } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
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
import { useUrlState } from '../../ui/url-state.ts';
import { compactColumns, deviceColumns } from './device-columns.tsx';
import { DeviceFacets } from './device-facets.tsx';
import { DeviceFilters } from './device-filters.tsx';
import { useSelection } from './device-selection.tsx';
import { deviceViewCodec, emptyView, isFiltered, toDeviceFilter, toDeviceOrder } from './device-view.ts';
import { useVisibleLive } from './use-visible-live.ts';

const pageSize = 50;
const BulkBar = lazy(() => import('../bulk/bulk-bar.tsx').then((m) => ({ default: m.BulkBar })));

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
  const { ids, column, selectAll, clear } = useSelection(key);
  const shown = compact ? compactColumns : deviceColumns;
  const columns = useMemo(() => (mayWrite ? [column, ...shown] : shown), [mayWrite, column, shown]);
  const used = useRef(false);
  used.current ||= ids === 'ALL' || ids.size > 0;

  return (
    <>
      <PageHeader
        title="Devices"
        actions={
          <>
            <Link to={{ pathname: '/map', search: key }} className={buttonClass('plain')}>
              <MapPinned aria-hidden="true" className="size-4" />
              Map
            </Link>
            {mayWrite && (
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
            )}
          </>
        }
      />
      <DeviceFacets view={view} onChange={setView} />
      <DeviceFilters view={view} onChange={setView} count={totalCount} />
      {used.current && (
        <Suspense>
          <BulkBar
            count={ids === 'ALL' ? (totalCount ?? nodes.length) : ids.size}
            target={ids === 'ALL' ? { where: toDeviceFilter(view) } : { ids: [...ids] }}
            more={ids === 'ALL' ? undefined : totalCount}
            onAll={selectAll}
            onClear={clear}
            onChanged={pager.reload}
          />
        </Suspense>
      )}
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <NoDevices filtered={isFiltered(view)} mayWrite={mayWrite} onClear={() => setView(emptyView)} />
      ) : (
        <DataTable
          label="Devices"
          columns={columns}
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
