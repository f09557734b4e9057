import { useEffect } from 'react';
import { useQuery } from 'urql';
import { Button } from '../../ui/button.tsx';
import { commandStatus, isOpen } from '../commands/command-view.ts';
import { BulkErrors } from './bulk-dialog.tsx';
import { bulkJobDocument } from './bulk-documents.ts';

const pollMs = 700;
/** While all are sent and some are not finished. */
const waitingMs = 3_000;

type BulkProgressProps = { id: string; onSettled: () => void; onClose: () => void };

/** How far a job over many devices is, kept current until it has ended and, where it sent commands, all of them have. */
export function BulkProgress({ id, onSettled, onClose }: BulkProgressProps) {
  const [{ data }, ask] = useQuery({
    query: bulkJobDocument,
    variables: { id },
    requestPolicy: 'network-only',
  });
  const job = data?.job;
  const ended = job != null && job.finishedAt !== null;
  const waiting = job?.commandCounts.some(({ status }) => isOpen(status)) ?? false;
  useEffect(() => {
    if (ended) onSettled();
  }, [ended, onSettled]);
  useEffect(() => {
    if (ended && !waiting) return;
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), ended ? waitingMs : pollMs);
    return () => clearInterval(timer);
  }, [ended, waiting, ask]);
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
      {ended && (
        <Button look="quiet" onClick={onClose} className="ml-auto">
          Dismiss
        </Button>
      )}
    </div>
  );
}
