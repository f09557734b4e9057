import type { ReactNode } from 'react';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { duration } from '../../ui/time.ts';
import { useDevice } from './device-detail.ts';
import { DeviceSequence } from './device-sequence.tsx';
import { deviceStatus } from './presence.ts';
import { formatValue } from './value.ts';

/** What is known of the device. */
export function DeviceDetails() {
  const device = useDevice();
  const { location } = device;
  const attributes =
    typeof device.attributes === 'object' && device.attributes !== null
      ? Object.entries(device.attributes)
      : [];
  return (
    <div className="grid gap-4 p-4 sm:p-5 lg:grid-cols-2 lg:items-start">
      <Panel title="Device">
        <dl className="divide-y divide-line">
          <Fact name="Status">
            <StatusBadge {...deviceStatus[device.status]} />
          </Fact>
          <Fact name="Key" copy={device.key} mono />
          <Fact name="Site">{device.site?.name}</Fact>
          <Fact name="Model">{device.model}</Fact>
          <Fact name="Serial number" mono {...(device.serialNumber ? { copy: device.serialNumber } : {})} />
          <Fact name="Firmware">{device.firmware}</Fact>
          <Fact name="Expected interval">{duration(device.expectedIntervalSeconds * 1_000)}</Fact>
          <Fact name="Location">
            {location && `${formatValue(location.latitude)}, ${formatValue(location.longitude)}`}
          </Fact>
          <Fact name="Created">
            <RelativeTime at={device.createdAt} />
          </Fact>
          <Fact name="Changed">
            <RelativeTime at={device.updatedAt} />
          </Fact>
          {device.decommissionedAt && (
            <Fact name="Decommissioned">
              <RelativeTime at={device.decommissionedAt} />
            </Fact>
          )}
        </dl>
      </Panel>
      <div className="flex min-w-0 flex-col gap-4">
        <Panel title="Message numbers">
          <DeviceSequence />
        </Panel>
        <Panel title="Attributes">
          {attributes.length === 0 ? (
            <p className="px-3.5 py-4 text-ink-2 text-sm">None set. Edit the device to add some.</p>
          ) : (
            <dl className="divide-y divide-line">
              {attributes.map(([name, value]) => (
                <Fact key={name} name={name}>
                  {formatValue(value)}
                </Fact>
              ))}
            </dl>
          )}
        </Panel>
      </div>
    </div>
  );
}

type FactProps = { name: string; children?: ReactNode; copy?: string; mono?: boolean };

function Fact({ name, children, copy, mono = false }: FactProps) {
  return (
    <div className="flex min-h-9 items-center gap-3 px-3.5 py-1">
      <dt className="w-36 shrink-0 text-ink-3 text-sm">{name}</dt>
      <dd className={`flex min-w-0 flex-1 items-center break-words ${mono ? 'font-mono text-sm' : ''}`}>
        <span className="min-w-0 break-words">
          {copy ?? children ?? <span className="text-ink-3">–</span>}
        </span>
        {copy && <CopyButton text={copy} label={`Copy ${name.toLowerCase()}`} className="-my-1" />}
      </dd>
    </div>
  );
}
