import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { diffJson } from '../../data/json-diff.ts';
import type { AuditActorKind, AuditRowFragment } from '../../generated/graphql.ts';
import { Drawer } from '../../ui/dialog.tsx';
import { JsonChanges } from '../../ui/json-changes.tsx';
import { absoluteTime } from '../../ui/time.ts';
import { devicePath } from '../devices/device-link.ts';
import { templatePath } from '../templates/template-names.ts';
import { actionOf } from './audit-actions.ts';

const actorKinds: Readonly<Record<AuditActorKind, string>> = {
  USER: 'person',
  API_KEY: 'API key',
  DEVICE: 'device',
  PROVISIONING_TOKEN: 'Provisioning token',
  CLIENT: 'program',
  OPERATOR: 'operator of the platform',
};

/** Everything about one entry. */
export function AuditDetail({ entry, onClose }: { entry: AuditRowFragment; onClose: () => void }) {
  const { actor, target } = entry;
  const path = pathOf(target);
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && onClose()}
      title={actionOf(entry.action)}
      description={absoluteTime(Date.parse(entry.at))}
    >
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
        <dl className="divide-y divide-line">
          <Fact name="Who">
            <Link
              to={`/settings/audit?actor=${encodeURIComponent(actor.id)}`}
              onClick={onClose}
              className="rounded-sm text-accent hover:underline"
            >
              {actor.name}
            </Link>{' '}
            <span className="text-ink-3">({actorKinds[actor.kind]})</span>
          </Fact>
          <Fact name="To what">
            {path === undefined ? (
              target.label
            ) : (
              <Link to={path} className="rounded-sm font-mono text-accent hover:underline">
                {target.label}
              </Link>
            )}
          </Fact>
          <Fact name="From where">{entry.ip ?? '–'}</Fact>
          <Fact name="Request">
            <span className="break-all font-mono text-xs">{entry.requestId}</span>
          </Fact>
        </dl>
        {entry.before != null && entry.after != null ? (
          <Changes before={entry.before} after={entry.after} />
        ) : (
          <>
            <State title="Before" value={entry.before} />
            <State title="After" value={entry.after} />
          </>
        )}
      </div>
    </Drawer>
  );
}

/** Where the console shows what was changed; undefined where it has no page of its own. */
function pathOf({ type, label }: AuditRowFragment['target']): string | undefined {
  // Of many devices it is their number, with a space that no key has.
  if (type === 'Device') return label.includes(' ') ? undefined : devicePath(label);
  return type === 'DeviceTemplate' ? templatePath(label) : undefined;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-9 items-center gap-3 py-1">
      <dt className="w-24 shrink-0 text-ink-3 text-sm">{name}</dt>
      <dd className="min-w-0 flex-1 break-words text-sm">{children}</dd>
    </div>
  );
}

function Changes({ before, after }: { before: unknown; after: unknown }) {
  const changes = diffJson(before, after);
  if (changes.length === 0) return null;
  return (
    <section className="mt-4">
      <h3 className="mb-1 font-semibold text-sm">Changes</h3>
      <div className="rounded-md border border-line">
        <JsonChanges changes={changes} before="Before" after="After" />
      </div>
    </section>
  );
}

function State({ title, value }: { title: string; value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <section className="mt-4">
      <h3 className="mb-1 font-semibold text-sm">{title}</h3>
      <pre className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5">
        {JSON.stringify(value, undefined, 2)}
      </pre>
    </section>
  );
}
