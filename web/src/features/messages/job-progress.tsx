import { useEffect } from 'react';
import { useQuery } from 'urql';
import { Button } from '../../ui/button.tsx';
import { jobDocument } from './documents.ts';

const pollMs = 700;

type JobProgressProps = { id: string; onSettled: () => void; onClose: () => void };

/** How far a job is, kept current until everything it sent has its outcome. */
export function JobProgress({ id, onSettled, onClose }: JobProgressProps) {
  const [{ data }, ask] = useQuery({ query: jobDocument, variables: { id }, requestPolicy: 'network-only' });
  const job = data?.node && 'total' in data.node ? data.node : undefined;
  const settled = job !== undefined && job.finishedAt !== null && job.outcomes.waiting === 0;
  useEffect(() => {
    if (settled) {
      onSettled();
      return;
    }
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), pollMs);
    return () => clearInterval(timer);
  }, [settled, ask, onSettled]);
  if (!job) return null;
  const { stored, duplicate, quarantined, accepted, deadLettered, waiting } = job.outcomes;
  const parts = [
    [stored, 'stored'],
    [duplicate, 'there already'],
    [accepted, 'accepted'],
    [quarantined, 'turned away again'],
    [deadLettered, 'given up'],
    [waiting, 'on their way'],
    [job.skipped, 'skipped'],
  ] as const;
  const verb = job.action === 'REPLAY' ? 'sent again' : 'discarded';
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-3 border-line border-b bg-accent-soft px-4 py-2 text-sm sm:px-5"
    >
      <progress
        aria-label="Progress"
        value={job.finishedAt ? job.total : job.handled}
        max={Math.max(1, job.total)}
        className="h-2 w-32 accent-[var(--accent)]"
      />
      <span>
        {job.handled.toLocaleString()} of {job.total.toLocaleString()} {verb}
        {parts
          .flatMap(([count, what]) => (count > 0 ? [` · ${count.toLocaleString()} ${what}`] : []))
          .join('')}
      </span>
      {settled && (
        <Button look="quiet" onClick={onClose} className="ml-auto">
          Dismiss
        </Button>
      )}
    </div>
  );
}
