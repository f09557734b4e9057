import { ChevronRight, Ellipsis, PackageX, Pencil, Power } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link, Outlet, useParams } from 'react-router';
import { useClient, useMutation, useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import { presenceDocument, telemetryDocument } from '../../live/documents.ts';
import { NoSuch } from '../../shell/no-such.tsx';
import { PageSkeleton, usePageTitle } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { type TabLink, TabLinks } from '../../ui/tab-links.tsx';
import { announce } from '../../ui/toast.tsx';
import { AvailabilityStrip } from './availability-strip.tsx';
import { DecommissionDialog } from './decommission-dialog.tsx';
import { type DeviceDetail, DeviceProvider, deviceDetailDocument } from './device-detail.ts';
import { DeviceEdit } from './device-edit.tsx';
import { devicePath } from './device-link.ts';
import { deviceUpdateDocument } from './device-update.ts';
import { deviceStatus } from './presence.ts';
import { PresenceStrip } from './presence-strip.tsx';

const ignore = () => undefined;

/** Keeps the device's presence and latest values in the cache live while its page is open. */
function useDeviceLive(id: string | undefined): void {
  const client = useClient();
  useEffect(() => {
    if (id === undefined) return;
    const where = { deviceIds: [id] };
    const presence = client.subscription(presenceDocument, { where }).subscribe(ignore);
    const telemetry = client.subscription(telemetryDocument, { where }).subscribe(ignore);
    return () => {
      presence.unsubscribe();
      telemetry.unsubscribe();
    };
  }, [client, id]);
}

/** One device: header, presence, tabs. */
export function DevicePage() {
  const { key = '' } = useParams();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: deviceDetailDocument,
    variables: { key },
    requestPolicy: 'cache-and-network',
  });
  const device = data?.device;
  useDeviceLive(device?.id);
  usePageTitle(device?.name ?? key);
  if (!device && fetching) return <PageSkeleton />;
  if (!device && error)
    return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (!device) {
    return (
      <NoSuch what="device" list="/devices">
        This tenant has no device with the key <span className="font-mono">{key}</span>.
      </NoSuch>
    );
  }
  return (
    <DeviceProvider value={device}>
      <div className="relative min-h-0 flex-1 overflow-y-auto">
        <DeviceHeader device={device} />
        <TabLinks label="Device" tabs={tabsOf(device.key)} className="mt-4" />
        <Outlet />
      </div>
    </DeviceProvider>
  );
}

function DeviceHeader({ device }: { device: DeviceDetail }) {
  const { viewer } = useAccount();
  const facts = [device.site?.name, device.model, device.firmware && `firmware ${device.firmware}`].filter(
    Boolean,
  );
  const editable = mayWriteDevices(viewer.role) && device.status !== 'DECOMMISSIONED';
  return (
    <header className="px-4 pt-3 sm:px-5">
      <nav aria-label="Breadcrumb" className="flex items-center gap-1 text-ink-3 text-sm">
        <Link to="/devices" className="rounded-sm hover:text-ink hover:underline">
          Devices
        </Link>
        <ChevronRight aria-hidden="true" className="size-3.5" />
        <span className="truncate font-mono text-xs">{device.key}</span>
        <CopyButton text={device.key} label="Copy device key" className="-my-2" />
      </nav>
      <div className="mt-0.5 flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="flex flex-wrap items-center gap-2.5 font-semibold text-xl">
            <span className="min-w-0 break-words">{device.name}</span>
            {device.status !== 'ACTIVE' && (
              <StatusBadge {...deviceStatus[device.status]} axis="Status" soft />
            )}
          </h1>
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-ink-2 text-sm">
            {facts.join(' · ')}
            {device.tags.map((tag) => (
              <Link
                key={tag}
                to={`/devices?tag=${encodeURIComponent(tag)}`}
                className="rounded-full border border-line bg-surface px-2 text-ink-2 text-xs hover:border-line-strong hover:text-ink"
              >
                {tag}
              </Link>
            ))}
          </p>
        </div>
        {editable && <DeviceActions device={device} />}
      </div>
      <PresenceStrip device={device} />
      <AvailabilityStrip deviceKey={device.key} />
    </header>
  );
}

function DeviceActions({ device }: { device: DeviceDetail }) {
  const [open, setOpen] = useState<'edit' | 'decommission'>();
  const [{ fetching }, update] = useMutation(deviceUpdateDocument);
  const disable = device.status === 'ACTIVE';
  const toggle = async () => {
    const { data, error } = await update({
      input: { id: device.id, expectedVersion: device.version, status: disable ? 'DISABLED' : 'ACTIVE' },
    });
    const result = data?.deviceUpdate;
    if (result?.__typename === 'DeviceUpdateSuccess') {
      announce(
        disable
          ? `${device.name} is disabled. It can no longer connect.`
          : `${device.name} may connect again.`,
      );
    } else {
      announce(failureText(result, error), 'bad');
    }
  };
  return (
    <div className="flex gap-2">
      <Button onClick={() => setOpen('edit')}>
        <Pencil aria-hidden="true" className="size-3.5" />
        Edit
      </Button>
      <Menu
        align="end"
        trigger={
          <Button icon aria-label="More actions" disabled={fetching}>
            <Ellipsis aria-hidden="true" className="size-4" />
          </Button>
        }
      >
        <MenuItem onSelect={() => void toggle()}>
          <Power aria-hidden="true" className="size-4 text-ink-3" />
          {disable ? 'Disable' : 'Enable'}
        </MenuItem>
        <MenuLine />
        <MenuItem danger onSelect={() => setOpen('decommission')}>
          <PackageX aria-hidden="true" className="size-4" />
          Decommission…
        </MenuItem>
      </Menu>
      {open === 'edit' && <DeviceEdit device={device} onClose={() => setOpen(undefined)} />}
      {open === 'decommission' && <DecommissionDialog device={device} onClose={() => setOpen(undefined)} />}
    </div>
  );
}

const tabs = [
  { label: 'Overview', end: true },
  { tab: 'readings', label: 'Data' },
  { tab: 'parts', label: 'Modules & sensors' },
  { tab: 'shadow', label: 'Shadow' },
  { tab: 'commands', label: 'Commands' },
  { tab: 'timeline', label: 'Timeline' },
  { tab: 'credentials', label: 'Credentials' },
  { tab: 'details', label: 'Details' },
] as const;

/** The device's tabs, as links. */
function tabsOf(key: string): TabLink[] {
  return tabs.map((each) =>
    'tab' in each
      ? { to: devicePath(key, each.tab), label: each.label }
      : { to: devicePath(key), label: each.label, end: each.end },
  );
}
