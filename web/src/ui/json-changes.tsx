import type { JsonChange } from '../data/json-diff.ts';
import { cx } from './class-names.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

type JsonChangesProps = {
  changes: readonly JsonChange[];
  /** What the two sides are, for those who hear the page: `desired`, `reported`. */
  before: string;
  after: string;
};

/** The places where two JSON values differ: what was, crossed out, and what is. A value that differs as a whole has no name. */
export function JsonChanges({ changes, before, after }: JsonChangesProps) {
  return (
    <ul className="divide-y divide-line font-mono text-sm">
      {changes.map((change) => (
        <li
          key={change.path.join('\u0000')}
          className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3.5 py-1.5"
        >
          {change.path.length > 0 && (
            <span className="w-44 min-w-0 shrink-0 break-all text-ink-2">{change.path.join('.')}</span>
          )}
          <span className="min-w-0 flex-1 break-all">
            {change.before !== undefined && (
              <Side name={before} className="bg-bad-soft text-bad line-through" value={change.before} />
            )}
            {change.before !== undefined && change.after !== undefined && (
              <span aria-hidden="true" className="px-1.5 text-ink-3">
                →
              </span>
            )}
            {change.after !== undefined && (
              <Side name={after} className="bg-good-soft text-good" value={change.after} />
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Side({ name, value, className }: { name: string; value: unknown; className: string }) {
  return (
    <span className={cx('rounded-sm px-1', className)}>
      <span className="sr-only">{name}: </span>
      {text(value)}
    </span>
  );
}
