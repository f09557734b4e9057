import { TriangleAlert } from 'lucide-react';
import { useQuery } from 'urql';
import { diffJson } from '../../data/json-diff.ts';
import type { TemplateChangeKind } from '../../generated/graphql.ts';
import { cx } from '../../ui/class-names.ts';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { JsonChanges } from '../../ui/json-changes.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { templateDiffDocument } from './template-documents.ts';

/** What one version of a template says otherwise than another, and what of it may break what worked before. */
export function TemplateChanges({
  templateKey,
  from,
  to,
}: {
  templateKey: string;
  from: number;
  to: number;
}) {
  const [{ data, error }, refetch] = useQuery({
    query: templateDiffDocument,
    variables: { key: templateKey, from, to },
  });
  const diff = data?.template?.diff;
  if (error) return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (!diff) return <Skeleton className="h-40 rounded-lg" />;
  const settings = diff.settings.map(({ setting, ...change }) => ({
    ...({ key: setting, kind: 'CHANGED', ...change } as const),
  }));
  const lists = [diff.metrics, diff.commands, diff.slots, settings];
  return (
    <section
      aria-label={`Changes from version ${from} to ${to}`}
      className="min-w-0 rounded-lg border border-line bg-surface shadow-1"
    >
      <h2 className="border-line border-b px-3.5 py-2.5 font-semibold">
        From version {from} to {to}
      </h2>
      {lists.every((list) => list.length === 0) && (
        <p className="px-3.5 py-3 text-ink-2 text-sm">Both say the same.</p>
      )}
      <div className="divide-y divide-line">
        <Entries title="Metrics" entries={diff.metrics} />
        <Entries title="Commands" entries={diff.commands} />
        <Entries title="Slots" entries={diff.slots} />
        <Entries title="Settings" entries={settings} />
      </div>
    </section>
  );
}

type Entry = {
  readonly key: string;
  readonly kind: TemplateChangeKind;
  readonly breaking: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
};

const kinds = {
  ADDED: { label: 'new', className: 'text-good' },
  CHANGED: { label: 'changed', className: 'text-warn' },
  REMOVED: { label: 'gone', className: 'text-bad' },
} as const satisfies Record<TemplateChangeKind, object>;

function Entries({ title, entries }: { title: string; entries: readonly Entry[] }) {
  if (entries.length === 0) return null;
  return (
    <div className="py-2">
      <h3 className="px-3.5 text-ink-3 text-sm">{title}</h3>
      <ul>
        {entries.map(({ key, kind, breaking, before, after }) => (
          <li key={key} className="py-1">
            <p className="break-words px-3.5">
              <span className="font-mono text-sm">{key}</span>{' '}
              <span className={cx('text-sm', kinds[kind].className)}>{kinds[kind].label}</span>
            </p>
            {breaking.length > 0 && (
              <p className="px-3.5 text-sm text-warn">
                <TriangleAlert aria-hidden="true" className="mr-1 inline size-3.5" />
                {breaking.join('; ')}
              </p>
            )}
            {kind === 'CHANGED' && (
              <JsonChanges changes={diffJson(before, after)} before="before" after="after" />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
