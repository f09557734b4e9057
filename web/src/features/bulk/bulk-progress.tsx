import { Button } from '../../ui/button.tsx';
import { commandStatus } from '../commands/command-view.ts';
import { BulkErrors } from './bulk-dialog.tsx';
import { useJob } from './use-job.ts';

type BulkProgressProps = { id: string; onSettled: () => void; onClose: () => void };

/** How far a job over many devices is. */
export function BulkProgress({ id, onSettled, onClose }: BulkProgressProps) {
  const { job, ended, stop } = useJob(id, onSettled);
  if (!job) return null;
  const handled = job.done + job.failed;
  return (
    <div
      role="status"
      className="flex shrink-0 flex-wrap items-center gap-3 border-line border-b bg-accent-soft px-4 py-2 text-sm sm:px-5"
    >
      <progress
        aria-label="Progress"
        value={ended ? job.total : handled}
        max={Math.max(1, job.total)}
        className="h-2 w-32 accent-[var(--accent)]"
      />
      <span>
        {handled.toLocaleString()} of {job.total.toLocaleString()} devices ·{' '}
        {job.commandCounts.length === 0
          ? `${job.changed.toLocaleString()} changed`
          : job.commandCounts
              .map(
                ({ status, count }) =>
                  `${count.toLocaleString()} ${commandStatus[status].label.toLowerCase()}`,
              )
              .join(' · ')}
        {job.failed > 0 && ` · ${job.failed.toLocaleString()} cannot`}
        {job.status === 'CANCELLED' && ' · stopped'}
      </span>
      <BulkErrors errors={job.errors} />
      <Button look="quiet" onClick={ended ? onClose : stop} className="ml-auto">
        {ended ? 'Dismiss' : 'Stop'}
      </Button>
    </div>
  );
}
