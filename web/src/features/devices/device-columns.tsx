import { Link } from 'react-router';
import type { DeviceOrderField, DeviceRowFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';
import type { Column } from '../../ui/data-table.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge, StatusShape } from '../../ui/status.tsx';
import { devicePath } from './device-link.ts';
import { connectivity, deviceStatus, freshness } from './presence.ts';
import { formatValue } from './value.ts';

// What a row shows. Codegen finds it here; documents name it.
graphql(`
  fragment DeviceRow on Device {
    id
    key
    name
    status
    tags
    model
    firmware
    site {
      id
      key
      name
    }
    presence {
      connection
      freshness
      credential
      lastSeenAt
      connectionChangedAt
      missingMetrics
    }
    latest {
      metric
      value
      at
      receivedAt
    }
  }
`);

const shownMetrics = 4;

function NameCell({ device }: { device: DeviceRowFragment }) {
  return (
    <div className="flex min-w-0 items-center gap-2">
      <div className="min-w-0 flex-1">
        <Link
          to={devicePath(device.key)}
          className="block truncate font-medium text-base leading-5 outline-none after:absolute after:inset-0 hover:text-accent focus-visible:text-accent"
        >
          {device.name}
        </Link>
        {device.name !== device.key && (
          <span className="block truncate font-mono text-ink-3 text-xs leading-4">{device.key}</span>
        )}
      </div>
      {device.status !== 'ACTIVE' && <StatusBadge {...deviceStatus[device.status]} axis="Status" soft />}
    </div>
  );
}

/** As many values as fit whole, numbers first. */
function LatestCell({ device }: { device: DeviceRowFragment }) {
  if (device.latest.length === 0) return <span className="text-ink-3 text-sm">nothing yet</span>;
  const isNumber = (latest: { value: unknown }) => typeof latest.value === 'number';
  const ordered = [...device.latest.filter(isNumber), ...device.latest.filter((latest) => !isNumber(latest))];
  return (
    <span className="flex h-5 min-w-0 flex-wrap gap-x-4 overflow-hidden">
      {ordered.slice(0, shownMetrics).map(({ metric, value }) => (
        <span key={metric} className="max-w-full truncate">
          <span className="text-ink-3">{metric}</span>{' '}
          <span className="font-semibold">{formatValue(value)}</span>
        </span>
      ))}
    </span>
  );
}

/** On a phone: one line of state under one line of name. */
function CompactState({ device }: { device: DeviceRowFragment }) {
  const { presence } = device;
  const late = presence.freshness !== 'FRESH';
  return (
    <span className="flex flex-col items-end gap-0.5">
      <StatusBadge {...connectivity[presence.connection]} axis="Connection" />
      <span className="flex items-center gap-1 text-ink-3 text-xs">
        {late && <StatusShape {...freshness[presence.freshness]} className="size-2" />}
        <span className="sr-only">{freshness[presence.freshness].label}, seen </span>
        <RelativeTime at={presence.lastSeenAt} />
      </span>
    </span>
  );
}

/** Columns on a phone. */
export const compactColumns: readonly Column<DeviceRowFragment, DeviceOrderField>[] = [
  {
    id: 'name',
    header: 'Device',
    track: 'minmax(0, 1fr)',
    sort: 'NAME',
    cell: (device) => <NameCell device={device} />,
  },
  {
    id: 'state',
    header: 'Last seen',
    track: '7rem',
    sort: 'LAST_SEEN_AT',
    align: 'end',
    cell: (device) => <CompactState device={device} />,
  },
];

/** Columns on anything wider. */
export const deviceColumns: readonly Column<DeviceRowFragment, DeviceOrderField>[] = [
  {
    id: 'name',
    header: 'Device',
    track: 'minmax(11rem, 1.4fr)',
    sort: 'NAME',
    cell: (device) => <NameCell device={device} />,
  },
  {
    id: 'connection',
    header: 'Connection',
    track: '6rem',
    cell: (device) => <StatusBadge {...connectivity[device.presence.connection]} axis="Connection" />,
  },
  {
    id: 'freshness',
    header: 'Freshness',
    track: '5.5rem',
    cell: (device) => <StatusBadge {...freshness[device.presence.freshness]} axis="Freshness" />,
  },
  {
    id: 'seen',
    header: 'Last seen',
    track: '6.5rem',
    sort: 'LAST_SEEN_AT',
    cell: (device) => (
      <RelativeTime at={device.presence.lastSeenAt} className="whitespace-nowrap text-ink-2 text-sm" />
    ),
  },
  {
    id: 'latest',
    header: 'Latest values',
    track: 'minmax(14rem, 2fr)',
    from: 'lg',
    cell: (device) => <LatestCell device={device} />,
  },
  {
    id: 'site',
    header: 'Site',
    track: 'minmax(6rem, 0.6fr)',
    from: 'lg',
    cell: (device) => <span className="block truncate text-ink-2 text-sm">{device.site?.name ?? '–'}</span>,
  },
  {
    id: 'firmware',
    header: 'Firmware',
    track: '5.5rem',
    from: 'xl',
    cell: (device) => <span className="block truncate text-ink-2 text-sm">{device.firmware ?? '–'}</span>,
  },
];
