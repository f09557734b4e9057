import { List, MapPinOff } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { PageHeader } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { DeviceFacets } from '../devices/device-facets.tsx';
import { DeviceFilters } from '../devices/device-filters.tsx';
import { devicePath } from '../devices/device-link.ts';
import { deviceViewCodec, emptyView, toDeviceFilter } from '../devices/device-view.ts';
import { connectivity, freshness } from '../devices/presence.ts';
import { DeviceMap } from './device-map.tsx';
import { deviceMapDocument, type Pin } from './map-documents.ts';

const listed = 200;

/** The fleet of the device list, with the same filters, on a map. */
export function MapPage() {
  const { config } = useAccount();
  const [view, setView] = useUrlState(deviceViewCodec);
  const key = deviceViewCodec.format(view).toString();
  const where = useMemo(() => toDeviceFilter(deviceViewCodec.parse(new URLSearchParams(key))), [key]);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: deviceMapDocument,
    variables: { where },
    requestPolicy: 'cache-and-network',
  });
  const [chosen, setChosen] = useState<readonly Pin[]>([]);
  const map = data?.deviceMap;
  return (
    <>
      <PageHeader
        title="Map"
        actions={
          <Link to={{ pathname: '/devices', search: key }} className={buttonClass('plain')}>
            <List aria-hidden="true" className="size-4" />
            List
          </Link>
        }
      />
      <DeviceFacets view={view} onChange={setView} />
      <DeviceFilters view={view} onChange={setView} count={map?.pins.length} />
      {error && !map ? (
        <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
      ) : !map && fetching ? (
        <Skeleton className="m-4 min-h-64 flex-1 rounded-lg" />
      ) : map?.pins.length === 0 ? (
        <Nowhere unplaced={map.unplacedCount} onClear={() => setView(emptyView)} />
      ) : (
        map && (
          <div className="flex min-h-0 flex-1 flex-col lg:flex-row">
            <DeviceMap
              pins={map.pins}
              tilesUrl={config.tilesUrl}
              attribution={config.tilesAttribution}
              onChoose={setChosen}
            />
            <aside
              aria-label="Devices on the map"
              className="flex max-h-[40%] w-full shrink-0 flex-col overflow-y-auto border-line border-t lg:max-h-none lg:w-80 lg:border-t-0 lg:border-l"
            >
              <Notes truncated={map.truncated} unplaced={map.unplacedCount} />
              <PinList pins={chosen.length > 0 ? chosen : map.pins} chosen={chosen.length > 0} />
            </aside>
          </div>
        )
      )}
    </>
  );
}

function Notes({ truncated, unplaced }: { truncated: boolean; unplaced: number }) {
  if (!truncated && unplaced === 0) return null;
  return (
    <div className="border-line border-b px-3.5 py-2 text-ink-2 text-sm">
      {truncated && <p>There are more devices than one map shows. Filter to see the rest.</p>}
      {unplaced > 0 && (
        <p>
          {unplaced.toLocaleString()} {unplaced === 1 ? 'device has' : 'devices have'} no location, nor has
          the site.
        </p>
      )}
    </div>
  );
}

function PinList({ pins, chosen }: { pins: readonly Pin[]; chosen: boolean }) {
  return (
    <>
      <h2 className="px-3.5 pt-2.5 pb-1 font-semibold text-sm">
        {chosen ? `${pins.length.toLocaleString()} here` : `${pins.length.toLocaleString()} on the map`}
      </h2>
      <ul className="divide-y divide-line">
        {pins.slice(0, listed).map((pin) => (
          <li key={pin.key}>
            <Link to={devicePath(pin.key)} className="flex items-center gap-3 px-3.5 py-2 hover:bg-hover">
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">{pin.name}</span>
                <span className="block truncate font-mono text-ink-3 text-xs">{pin.key}</span>
              </span>
              <span className="flex flex-col items-start">
                <StatusBadge {...connectivity[pin.connection]} axis="Connection" />
                <StatusBadge {...freshness[pin.freshness]} axis="Freshness" />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {pins.length > listed && (
        <p className="px-3.5 py-2 text-ink-3 text-sm">
          The first {listed} of {pins.length.toLocaleString()}. Choose a mark on the map, or filter.
        </p>
      )}
    </>
  );
}

function Nowhere({ unplaced, onClear }: { unplaced: number; onClear: () => void }) {
  return (
    <EmptyState
      icon={MapPinOff}
      title={unplaced === 0 ? 'No device matches' : 'Nothing to place'}
      action={
        unplaced === 0 ? (
          <Button onClick={onClear}>Clear filters</Button>
        ) : (
          <Link to="/devices" className={buttonClass('plain')}>
            All devices
          </Link>
        )
      }
    >
      {unplaced === 0
        ? 'Nothing in this fleet fits the search and filters.'
        : 'None of these devices has a location. Edit a device, or give its site one.'}
    </EmptyState>
  );
}
