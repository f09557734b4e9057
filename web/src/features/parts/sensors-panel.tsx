import { Ellipsis, Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { useDevice } from '../devices/device-detail.ts';
import { formatValue } from '../devices/value.ts';
import { sensorSourceNames } from './part-names.ts';
import type { DeviceParts, Sensor } from './parts-documents.ts';
import { DeleteSensor, SensorDrawer } from './sensor-dialogs.tsx';
import { mayForget } from './sensor-form.ts';

type Open = { readonly what: 'new' } | { readonly what: 'edit' | 'delete'; readonly sensor: Sensor };
type SensorsPanelProps = { device: DeviceParts; mayWrite: boolean };

/** What is measured at the device: what its template and modules bring, what somebody added, what was found in the data. */
export function SensorsPanel({ device, mayWrite }: SensorsPanelProps) {
  const [open, setOpen] = useState<Open>();
  const [withInactive, setWithInactive] = useState(false);
  const active = device.sensors.filter((sensor) => sensor.active);
  const inactive = device.sensors.length - active.length;
  const shown = withInactive ? device.sensors : active;
  const close = () => setOpen(undefined);
  return (
    <Panel
      title="Sensors"
      note={active.length}
      actions={
        <>
          {inactive > 0 && (
            <Button look="quiet" aria-pressed={withInactive} onClick={() => setWithInactive(!withInactive)}>
              {withInactive ? 'Hide' : 'Show'} {inactive} inactive
            </Button>
          )}
          {mayWrite && (
            <Button onClick={() => setOpen({ what: 'new' })}>
              <Plus aria-hidden="true" className="size-4" />
              Add sensor
            </Button>
          )}
        </>
      }
    >
      {shown.length === 0 ? (
        <PanelEmpty>
          Nothing is known to be measured here.{' '}
          {mayWrite && 'Sensors appear with a template, with a module, or when you add one.'}
        </PanelEmpty>
      ) : (
        <SensorTable sensors={shown} {...(mayWrite ? { onOpen: setOpen } : {})} />
      )}
      {open?.what === 'new' && <SensorDrawer device={device} onClose={close} />}
      {open?.what === 'edit' && <SensorDrawer device={device} sensor={open.sensor} onClose={close} />}
      {open?.what === 'delete' && <DeleteSensor sensor={open.sensor} onClose={close} />}
    </Panel>
  );
}

type SensorTableProps = { sensors: readonly Sensor[]; onOpen?: (open: Open) => void };

function SensorTable({ sensors, onOpen }: SensorTableProps) {
  const { latest } = useDevice();
  return (
    <table className="w-full table-fixed text-sm">
      <thead className="text-left text-ink-3 text-xs">
        <tr className="border-line border-b">
          <th scope="col" className="py-2 pl-3.5 font-normal">
            Sensor
          </th>
          <th scope="col" className="w-28 py-2 pl-3 text-right font-normal sm:w-36">
            Newest value
          </th>
          <th scope="col" className="w-32 py-2 pl-6 font-normal max-sm:hidden">
            True between
          </th>
          <th scope="col" className="w-40 py-2 pl-3 font-normal max-sm:hidden">
            Brought by
          </th>
          {onOpen && (
            <th scope="col" className="w-12">
              <span className="sr-only">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {sensors.map((sensor) => (
          <tr key={sensor.id} data-metric={sensor.metric} className="hover:bg-hover">
            <th scope="row" className="py-1.5 pl-3.5 text-left font-normal">
              <span className="flex flex-wrap items-center gap-x-2">
                <span className="min-w-0 truncate font-medium text-base">{sensor.name}</span>
                <SensorMark sensor={sensor} />
              </span>
              <span className="block truncate font-mono text-ink-3 text-xs">{sensor.metric}</span>
              <span className="block text-ink-3 text-xs sm:hidden">{broughtBy(sensor)}</span>
            </th>
            <td className="py-1.5 pl-3 text-right">
              <Newest sensor={sensor} latest={latest.find(({ metric }) => metric === sensor.metric)} />
            </td>
            <td className="py-1.5 pl-6 text-ink-2 max-sm:hidden">{rangeOf(sensor)}</td>
            <td className="truncate py-1.5 pl-3 text-ink-2 max-sm:hidden">{broughtBy(sensor)}</td>
            {onOpen && (
              <td className="pr-1.5 text-right">
                <SensorMenu sensor={sensor} onOpen={onOpen} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SensorMark({ sensor }: { sensor: Sensor }) {
  if (!sensor.active) return <StatusBadge shape="dash" tone="idle" label="Inactive" soft />;
  if (!sensor.isModelled) return <StatusBadge shape="half" tone="warn" label="Unmodelled" soft />;
  return null;
}

type NewestProps = {
  sensor: Sensor;
  latest: { readonly value: unknown; readonly at: string } | undefined;
};

function Newest({ sensor, latest }: NewestProps) {
  if (!latest) return <span className="text-ink-3">nothing yet</span>;
  return (
    <>
      <span className="block truncate font-semibold text-base">
        {formatValue(latest.value)}
        {sensor.unit && <span className="ml-1 font-normal text-ink-3 text-sm">{sensor.unit}</span>}
      </span>
      <RelativeTime at={latest.at} className="text-ink-3 text-xs" />
    </>
  );
}

function SensorMenu({ sensor, onOpen }: { sensor: Sensor; onOpen: (open: Open) => void }) {
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label={`Actions for ${sensor.name}`}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => onOpen({ what: 'edit', sensor })}>
        {sensor.isModelled ? 'Edit…' : 'Describe…'}
      </MenuItem>
      {mayForget(sensor) && (
        <>
          <MenuLine />
          <MenuItem danger onSelect={() => onOpen({ what: 'delete', sensor })}>
            Forget…
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

const broughtBy = ({ source, module }: Sensor): string => module?.name ?? sensorSourceNames[source];

function rangeOf({ min, max }: Sensor): string {
  if (min === null && max === null) return '–';
  if (min === null) return `up to ${formatValue(max)}`;
  if (max === null) return `from ${formatValue(min)}`;
  return `${formatValue(min)} to ${formatValue(max)}`;
}
