import { TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { Button } from '../../ui/button.tsx';
import { duration } from '../../ui/time.ts';
import { devicePath } from '../devices/device-link.ts';
import type { MigrationStep } from './migration-documents.ts';
import { TemplateChanges } from './template-changes.tsx';
import { counted } from './template-names.ts';

type MigrationStepPanelProps = {
  step: MigrationStep;
  templateKey: string;
  toVersion: number;
  action: ReactNode;
};

/** The devices of one version, what moving does to them, and which of them would stay. */
export function MigrationStepPanel({ step, templateKey, toVersion, action }: MigrationStepPanelProps) {
  const [everything, setEverything] = useState(false);
  const { fromVersion, deviceCount, devices } = step;
  const hidden = deviceCount - devices.nodes.length;
  return (
    <section
      aria-label={`From version ${fromVersion} to ${toVersion}`}
      className="min-w-0 rounded-lg border border-line bg-surface shadow-1"
    >
      <div className="flex flex-wrap items-center justify-between gap-3 border-line border-b px-3.5 py-2">
        <h2 className="font-semibold">
          {counted(deviceCount, 'device')} on version {fromVersion}
        </h2>
        {action}
      </div>
      <div className="flex flex-col gap-3 px-3.5 py-3 text-sm">
        <p className="break-words">
          {devices.nodes.map(({ id, key, name }, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <Link to={devicePath(key)} className="text-accent underline">
                {name}
              </Link>
            </span>
          ))}
          {hidden > 0 && <span className="text-ink-2"> and {hidden.toLocaleString()} more</span>}
        </p>
        {step.diff.breaking && (
          <p className="text-warn">
            <TriangleAlert aria-hidden="true" className="mr-1 inline size-3.5" />
            Something that works on version {fromVersion} may not work any more.
          </p>
        )}
        <Effects step={step} />
        <Obstacles obstacles={step.obstacles} />
        {everything ? (
          <TemplateChanges templateKey={templateKey} from={fromVersion} to={toVersion} />
        ) : (
          <Button className="self-start" onClick={() => setEverything(true)}>
            Everything that differs
          </Button>
        )}
      </div>
    </section>
  );
}

function Effects({ step }: { step: MigrationStep }) {
  const { intervalBefore, intervalAfter } = step;
  const lines = [
    ['Sensors that appear', step.sensorsAppear],
    ['Sensors that end; their readings stay', step.sensorsVanish],
    ['New slots', step.slotsAppear],
    ['Slots that are gone', step.slotsVanish],
    ['New commands', step.commandsAppear],
    ['Commands that are gone', step.commandsVanish],
  ] as const;
  const told = lines.filter(([, keys]) => keys.length > 0);
  const interval = intervalBefore !== intervalAfter;
  if (told.length === 0 && !interval)
    return <p className="text-ink-2">No sensor, slot or command comes or goes.</p>;
  return (
    <dl className="grid gap-x-4 gap-y-1 sm:grid-cols-[16rem_minmax(0,1fr)]">
      {told.map(([name, keys]) => (
        <Effect key={name} name={name}>
          <span className="font-mono">{keys.join(', ')}</span>
        </Effect>
      ))}
      {interval && (
        <Effect name="A message every, unless its own is set">
          {duration(intervalBefore * 1_000)} → {duration(intervalAfter * 1_000)}
        </Effect>
      )}
    </dl>
  );
}

function Effect({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

function Obstacles({ obstacles }: Pick<MigrationStep, 'obstacles'>) {
  if (obstacles.length === 0) return null;
  return (
    <div className="rounded-md border border-warn bg-warn-soft px-3 py-2">
      <h3 className="font-medium text-warn">
        {obstacles.length >= 100 ? '100 or more devices' : counted(obstacles.length, 'device')} cannot move
      </h3>
      <ul className="mt-1 flex flex-col gap-1">
        {obstacles.map(({ device, faults }) => (
          <li key={device.id} className="break-words">
            <Link to={devicePath(device.key)} className="underline">
              {device.name}
            </Link>
            : {faults.map(({ message }) => message).join('; ')}
          </li>
        ))}
      </ul>
    </div>
  );
}
