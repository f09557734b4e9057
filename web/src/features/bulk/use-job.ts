import { useEffect } from 'react';
import { useMutation, useQuery } from 'urql';
import { failureText } from '../../data/failures.ts';
import { announce } from '../../ui/toast.tsx';
import { isOpen } from '../commands/command-view.ts';
import { type BulkJob, bulkJobDocument, jobCancelDocument } from './bulk-documents.ts';

const pollMs = 700;
/** While all are sent and some are not finished. */
const waitingMs = 3_000;

type FollowedJob = {
  /** Undefined until it is known, and where there is none. */
  readonly job: BulkJob | undefined;
  readonly ended: boolean;
  /** Ends it behind the devices at work; says so when that cannot be. */
  stop(): void;
};

/** A job over many devices, kept current until it has ended and, where it sent commands, all of them have. */
export function useJob(id: string, onSettled: () => void): FollowedJob {
  const [{ data }, ask] = useQuery({
    query: bulkJobDocument,
    variables: { id },
    requestPolicy: 'network-only',
  });
  const [, cancel] = useMutation(jobCancelDocument);
  const job = data?.job ?? undefined;
  const ended = job !== undefined && job.finishedAt !== null;
  const waiting = job?.commandCounts.some(({ status }) => isOpen(status)) ?? false;
  useEffect(() => {
    if (ended) onSettled();
  }, [ended, onSettled]);
  useEffect(() => {
    if (ended && !waiting) return;
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), ended ? waitingMs : pollMs);
    return () => clearInterval(timer);
  }, [ended, waiting, ask]);
  const stop = async () => {
    const answer = await cancel({ input: { id } });
    const result = answer.data?.jobCancel;
    if (result?.__typename !== 'JobCancelSuccess') announce(failureText(result, answer.error), 'bad');
    ask({ requestPolicy: 'network-only' });
  };
  return { job, ended, stop: () => void stop() };
}
