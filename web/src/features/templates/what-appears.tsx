import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { Skeleton } from '../../ui/skeleton.tsx';
import { duration } from '../../ui/time.ts';
import { type Template, templateDocument } from './template-documents.ts';
import { linkNames, protocolNames, templatePath } from './template-names.ts';

/** What a device gets when it is made of a template. */
export function WhatAppears({ templateKey }: { templateKey: string }) {
  const [{ data, fetching }] = useQuery({ query: templateDocument, variables: { key: templateKey } });
  const template = data?.template;
  if (fetching && !template) return <Skeleton className="h-24 rounded-md" />;
  if (!template) return <p className="text-bad text-sm">There is no template with this key.</p>;
  const required = template.metrics.filter((metric) => metric.required);
  const others = template.metrics.filter((metric) => !metric.required);
  return (
    <section
      aria-label={`What appears with ${template.name}`}
      className="rounded-md border border-line bg-sunken px-3.5 py-2.5 text-sm"
    >
      <h2 className="font-medium">
        What appears with{' '}
        <Link to={templatePath(template.key)} className="rounded-sm text-accent underline">
          {template.name}
        </Link>
        , version {template.version}
      </h2>
      <dl className="mt-1.5 flex flex-col gap-1">
        <Line name="Sensors">{metricsText(required) || 'none at once'}</Line>
        {others.length > 0 && <Line name="Knows too">{metricsText(others)}</Line>}
        <Line name="Transports">{transportsText(template) || 'none'}</Line>
        <Line name="A message every">{duration((template.expectedIntervalSeconds ?? 60) * 1_000)}</Line>
        {template.commands.length > 0 && (
          <Line name="Commands">{template.commands.map(({ name }) => name).join(', ')}</Line>
        )}
        {template.slots.length > 0 && (
          <Line name="Slots">{template.slots.map(({ name }) => name).join(', ')}</Line>
        )}
      </dl>
    </section>
  );
}

const metricsText = (metrics: Template['metrics']): string =>
  metrics.map(({ name, unit }) => (unit === null ? name : `${name} (${unit})`)).join(', ');

const transportsText = ({ transports }: Template): string =>
  transports
    .map(({ protocol, link }) => {
      const text = protocolNames[protocol];
      return link === null ? text : `${text} over ${linkNames[link]}`;
    })
    .join(', ');

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-3">
      <dt className="w-32 shrink-0 text-ink-3">{name}</dt>
      <dd className="min-w-0 flex-1 break-words">{children}</dd>
    </div>
  );
}
