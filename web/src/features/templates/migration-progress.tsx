import { Button } from '../../ui/button.tsx';
import type { BulkSuccess } from '../bulk/bulk-actions.ts';
import type { BulkError } from '../bulk/bulk-documents.ts';
import { useJob } from '../bulk/use-job.ts';
import { counted } from './template-names.ts';

type MigrationProgressProps = { outcome: BulkSuccess; onSettled: () => void };

/** What came of moving devices, or how far a job is with it, and which devices stayed. */
export function MigrationProgress({ outcome, onSettled }: MigrationProgressProps) {
  const { job, changed, failed, errors } = outcome;
  if (job) return <JobProgress id={job.id} onSettled={onSettled} />;
  return <Moved moved={changed} staying={failed} errors={errors} />;
}

function JobProgress({ id, onSettled }: { id: string; onSettled: () => void }) {
  const { job, ended, stop } = useJob(id, onSettled);
  if (!job) return null;
  const { total, done, changed, failed, errors, status } = job;
  const running = ended ? undefined : { total, handled: done + failed, stop };
  return (
    <Moved
      moved={changed}
      staying={failed}
      errors={errors}
      running={running}
      stopped={status === 'CANCELLED' ? total - done - failed : 0}
    />
  );
}

type MovedProps = {
  moved: number;
  staying: number;
  errors: readonly BulkError[];
  running?: { readonly total: number; readonly handled: number; readonly stop: () => void } | undefined;
  /** Devices that nobody has looked at, because somebody stopped it. */
  stopped?: number;
};

function Moved({ moved, staying, errors, running, stopped = 0 }: MovedProps) {
  return (
    <div className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-3.5 shadow-1">
      <div role="status" className="flex flex-wrap items-center gap-3 text-sm">
        {running && (
          <progress
            aria-label="Progress"
            value={running.handled}
            max={Math.max(1, running.total)}
            className="h-2 w-32 accent-[var(--accent)]"
          />
        )}
        <span>
          {counted(moved, 'device')} moved{staying > 0 && `, ${staying.toLocaleString()} stay`}
          {running && ` of ${running.total.toLocaleString()}`}
          {stopped > 0 && ` · stopped before ${counted(stopped, 'device')}`}
        </span>
        {running && (
          <Button look="quiet" onClick={running.stop} className="ml-auto">
            Stop
          </Button>
        )}
      </div>
      {errors.length > 0 && (
        <ul className="text-sm text-warn">
          {errors.map(({ deviceId, device, message }) => (
            <li key={deviceId} className="break-words">
              <span className="font-mono">{device?.key ?? deviceId}</span>: {message}
            </li>
          ))}
          {staying > errors.length && <li>and {(staying - errors.length).toLocaleString()} more devices</li>}
        </ul>
      )}
    </div>
  );
}
