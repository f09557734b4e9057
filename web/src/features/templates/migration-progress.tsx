import { Button } from '../../ui/button.tsx';
import { FormError } from '../../ui/field.tsx';
import type { MigrationProgress } from './migration-run.ts';
import { counted } from './template-names.ts';

/** Reasons that are listed; the count says how many there are. */
const listed = 50;

/** How far a move is, and which devices stayed. */
export function MigrationProgressBar({
  progress,
  onStop,
}: {
  progress: MigrationProgress;
  onStop: () => void;
}) {
  const { running, total, moved, refused, problem } = progress;
  const staying = new Set(refused.map(({ key }) => key)).size;
  return (
    <div className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-3.5 shadow-1">
      <div role="status" className="flex flex-wrap items-center gap-3 text-sm">
        {running && (
          <progress
            aria-label="Progress"
            value={moved + staying}
            max={Math.max(1, total)}
            className="h-2 w-32 accent-[var(--accent)]"
          />
        )}
        <span>
          {counted(moved, 'device')} moved{staying > 0 && `, ${staying.toLocaleString()} stay`}
          {running && ` of ${total.toLocaleString()}`}
        </span>
        {running && (
          <Button look="quiet" onClick={onStop} className="ml-auto">
            Stop
          </Button>
        )}
      </div>
      <FormError message={problem} />
      {refused.length > 0 && (
        <ul className="text-sm text-warn">
          {refused.slice(0, listed).map(({ key, message }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list only grows
            <li key={index} className="break-words">
              <span className="font-mono">{key}</span>: {message}
            </li>
          ))}
          {refused.length > listed && <li>and {(refused.length - listed).toLocaleString()} more reasons</li>}
        </ul>
      )}
    </div>
  );
}
