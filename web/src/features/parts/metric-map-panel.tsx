import { ArrowRight, Pencil } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { formatValue } from '../devices/value.ts';
import { MetricMapDrawer } from './metric-map-drawer.tsx';
import type { DeviceParts } from './parts-documents.ts';

type Mapping = DeviceParts['metricMap'][number];

/** What the device calls its metrics, what they are stored as, and how their numbers are changed on the way. */
export function MetricMapPanel({ device, mayWrite }: { device: DeviceParts; mayWrite: boolean }) {
  const [editing, setEditing] = useState(false);
  const edit = (label: string) => (
    <Button onClick={() => setEditing(true)}>
      <Pencil aria-hidden="true" className="size-3.5" />
      {label}
    </Button>
  );
  const empty = device.metricMap.length === 0;
  return (
    <Panel title="Metric map" actions={mayWrite && !empty && edit('Edit map')}>
      {empty ? (
        <PanelEmpty action={mayWrite && edit('Rename or scale metrics')}>
          Every metric is stored by the name and with the value that the device sends.
        </PanelEmpty>
      ) : (
        <MappingList map={device.metricMap} />
      )}
      {editing && <MetricMapDrawer device={device} onClose={() => setEditing(false)} />}
    </Panel>
  );
}

/** Renamings, one a line: `t1 → temperature × 0.1 + 0`. */
export function MappingList({ map }: { map: readonly Mapping[] }) {
  return (
    <ul className="divide-y divide-line">
      {map.map((mapping) => (
        <li key={mapping.raw} className="flex min-h-9 flex-wrap items-center gap-x-2 px-3.5 py-1.5 text-sm">
          <span className="break-all font-mono">{mapping.raw}</span>
          <ArrowRight role="img" aria-label="is stored as" className="size-3.5 text-ink-3" />
          <span className="break-all font-medium font-mono">{mapping.metric}</span>
          <span className="ml-auto text-ink-2">{formulaOf(mapping)}</span>
        </li>
      ))}
    </ul>
  );
}

function formulaOf({ scale, offset }: Mapping): string {
  const factor = scale === 1 ? '' : `× ${formatValue(scale)}`;
  const added = offset === 0 ? '' : `${offset < 0 ? '−' : '+'} ${formatValue(Math.abs(offset))}`;
  return [factor, added].filter(Boolean).join(' ') || 'as it is';
}
