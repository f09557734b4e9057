import type { ReactNode } from 'react';
import { duration } from '../../ui/time.ts';
import type { Template } from './template-documents.ts';
import {
  enforcementNames,
  interfaceNames,
  linkNames,
  metricTypeNames,
  protocolNames,
  slotTypeNames,
} from './template-names.ts';
import { useTemplate } from './template-page.tsx';

type Metric = Template['metrics'][number];

/** What the newest version of a template says. */
export function TemplateDefinition() {
  const template = useTemplate();
  return (
    <div className="flex flex-col gap-4 p-4 sm:p-5">
      <Panel title="Metrics" count={template.metrics.length}>
        <Table
          label="Metrics"
          heads={['Metric', 'Type', 'Unit', 'Range', '']}
          rows={template.metrics.map((metric) => [
            <Named key="name" name={metric.name} of={metric.key} />,
            metric.type === 'ENUM' ? metric.values.join(', ') : metricTypeNames[metric.type],
            metric.unit ?? '–',
            <span key="range" className="whitespace-nowrap">
              {rangeOf(metric)}
            </span>,
            metric.required ? 'required' : '',
          ])}
        />
      </Panel>
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        <Panel title="Commands" count={template.commands.length}>
          <ul className="divide-y divide-line">
            {template.commands.map((command) => (
              <li key={command.key} className="px-3.5 py-2">
                <Named name={command.name} of={command.key} />
                {command.description && <p className="text-ink-2 text-sm">{command.description}</p>}
                {command.params != null && <Schema title="Parameters" schema={command.params} />}
                {command.response != null && <Schema title="Answer" schema={command.response} />}
              </li>
            ))}
          </ul>
        </Panel>
        <div className="flex min-w-0 flex-col gap-4">
          <Panel title="Slots" count={template.slots.length}>
            <ul className="divide-y divide-line">
              {template.slots.map((slot) => (
                <li key={slot.key} className="px-3.5 py-2">
                  <Named name={slot.name} of={slot.key} />
                  <p className="text-ink-2 text-sm">
                    {slotTypeNames[slot.type]}, {interfaceNames[slot.interface]}, up to {slot.maxDevices}
                    {slot.required && ', required'}
                  </p>
                  <p className="break-words text-ink-3 text-sm">
                    {slot.compatibleTemplates.length === 0
                      ? 'Takes any module or sensor'
                      : `Takes ${slot.compatibleTemplates.join(', ')}`}
                  </p>
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title="Transports" count={template.transports.length}>
            <ul className="divide-y divide-line">
              {template.transports.map((transport, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: transports of a version never move
                <li key={index} className="px-3.5 py-2">
                  {protocolNames[transport.protocol]}
                  {transport.link && <span className="text-ink-2"> over {linkNames[transport.link]}</span>}
                  {index === 0 && <span className="text-ink-3 text-sm"> (primary)</span>}
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title="What is expected">
            <dl className="divide-y divide-line">
              <Fact name="Metrics that are not named here">{enforcementNames[template.unknownMetrics]}</Fact>
              <Fact name="Values that are not as said here">{enforcementNames[template.invalidValues]}</Fact>
              <Fact name="Unknown metrics become sensors">{template.discoverSensors ? 'Yes' : 'No'}</Fact>
              <Fact name="A message every">{duration((template.expectedIntervalSeconds ?? 60) * 1_000)}</Fact>
            </dl>
          </Panel>
        </div>
      </div>
    </div>
  );
}

function rangeOf({ min, max }: Metric): string {
  if (min === null && max === null) return '–';
  if (min === null) return `≤ ${max}`;
  return max === null ? `≥ ${min}` : `${min} … ${max}`;
}

function Panel({ title, count, children }: { title: string; count?: number; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-surface shadow-1">
      <h2 className="border-line border-b px-3.5 py-2.5 font-semibold">{title}</h2>
      {count === 0 ? <p className="px-3.5 py-3 text-ink-2 text-sm">None.</p> : children}
    </section>
  );
}

function Named({ name, of }: { name: string; of: string }) {
  return (
    <p className="min-w-32">
      <span className="font-medium">{name}</span>{' '}
      <span className="break-words font-mono text-ink-3 text-xs">{of}</span>
    </p>
  );
}

type TableProps = { label: string; heads: readonly string[]; rows: readonly (readonly ReactNode[])[] };

/** Fits a phone by scrolling sideways; the keyboard reaches it for that. */
function Table({ label, heads, rows }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
    <section aria-label={label} tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left text-sm">
        <thead className="text-ink-3">
          <tr>
            {heads.map((head, index) => (
              <th key={head || index} scope="col" className="px-3.5 py-1.5 font-normal">
                {head || <span className="sr-only">Notes</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-line border-t">
          {rows.map((cells, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a version never move
            <tr key={row}>
              {cells.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns never move
                <td key={column} className="px-3.5 py-1.5 align-top">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Schema({ title, schema }: { title: string; schema: unknown }) {
  return (
    <details className="mt-1 text-sm">
      <summary className="cursor-pointer text-ink-2">{title}</summary>
      <pre className="mt-1 overflow-x-auto rounded-md bg-sunken p-2 font-mono text-xs">
        {JSON.stringify(schema, null, 2)}
      </pre>
    </details>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-9 items-center justify-between gap-3 px-3.5 py-1 text-sm">
      <dt className="text-ink-3">{name}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}
