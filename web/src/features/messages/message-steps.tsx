import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { MessageState, MessageTraceQuery } from '../../generated/graphql.ts';
import { type Shape, StatusBadge, StatusShape, type Tone } from '../../ui/status.tsx';
import { reasonOf } from './quarantine-view.ts';

type Trace = NonNullable<MessageTraceQuery['message']>;
type Part = Trace['parts'][number];

const states: Readonly<Record<MessageState, { label: string; shape: Shape; tone: Tone }>> = {
  IN_FLIGHT: { label: 'On its way', shape: 'half', tone: 'warn' },
  STORED: { label: 'Stored', shape: 'disc', tone: 'good' },
  DUPLICATE: { label: 'There already', shape: 'ring', tone: 'good' },
  QUARANTINED: { label: 'Turned away', shape: 'triangle', tone: 'bad' },
  DEAD_LETTERED: { label: 'Given up', shape: 'square', tone: 'bad' },
  SIGN_OF_LIFE: { label: 'A sign of life', shape: 'disc', tone: 'good' },
};

/** The way of a message, step by step, and what became of its readings. */
export function MessageSteps({ trace }: { trace: Trace }) {
  const inFlight = trace.storedAt === null;
  return (
    <div className="mx-auto grid w-full max-w-3xl grid-cols-[minmax(0,1fr)] gap-6 px-4 py-5 sm:px-5">
      <ol aria-label="The way of the message" className="relative">
        <Step
          title="Gateway"
          at={trace.receivedAt ?? trace.framedAt}
          done={trace.origin !== null || inFlight}
        >
          {trace.deviceKey && (
            <Link
              to={`/devices/${encodeURIComponent(trace.deviceKey)}`}
              className="rounded-sm font-mono text-accent hover:underline"
            >
              {trace.deviceKey}
            </Link>
          )}
          {trace.kind && ` sent ${trace.kind}`}
          {trace.source && ` by ${trace.source}`}
          {trace.origin && (
            <>
              {', put on the stream by '}
              <span className="font-mono">{trace.origin}</span>
            </>
          )}
        </Step>
        <Step title="Stream" at={trace.streamedAt} done={trace.sequence !== null}>
          {trace.sequence === null
            ? 'not known any more'
            : `${trace.stream}, sequence ${trace.sequence.toLocaleString()}: durable, the device was acknowledged`}
        </Step>
        <Step title="Ingest" at={trace.storedAt} done={!inFlight}>
          {inFlight ? (
            'waits for its turn'
          ) : trace.worker ? (
            <span className="font-mono">{trace.worker}</span>
          ) : (
            'committed'
          )}
        </Step>
        <Step title="Subscribers" at={trace.publishedAt} done={trace.publishedAt !== null} last>
          {trace.publishedAt === null ? 'not told yet, or not known any more' : 'told'}
        </Step>
      </ol>
      <section className="rounded-lg border border-line bg-surface shadow-1">
        <h2 className="border-line border-b px-4 py-2.5 font-semibold text-sm">
          {trace.parts.length === 1
            ? 'What became of it'
            : `What became of its ${trace.parts.length} readings`}
        </h2>
        <ul className="divide-y divide-line">
          {trace.parts.map((part) => (
            <Outcome key={part.part} part={part} />
          ))}
        </ul>
      </section>
      {trace.payload && (
        <section>
          <h2 className="mb-1 font-semibold text-sm">Payload</h2>
          <pre className="overflow-x-auto whitespace-pre-wrap break-all rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5">
            {trace.payload.text ?? trace.payload.base64}
          </pre>
        </section>
      )}
      {trace.receipt && (
        <p className="break-all text-ink-3 text-xs">
          Receipt <span className="font-mono">{trace.receipt}</span>
        </p>
      )}
    </div>
  );
}

type StepProps = {
  title: string;
  at: string | null | undefined;
  done: boolean;
  last?: boolean;
  children: ReactNode;
};

function Step({ title, at, done, last = false, children }: StepProps) {
  return (
    <li className="relative flex gap-3 pb-5 last:pb-0">
      {!last && (
        <span aria-hidden="true" className="absolute top-4 bottom-0 left-[0.3rem] w-px bg-line-strong" />
      )}
      <StatusShape shape={done ? 'disc' : 'ring'} tone={done ? 'good' : 'idle'} className="mt-1.5" />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-baseline justify-between gap-x-3">
          <h2 className="font-semibold text-sm">{title}</h2>
          {at && (
            <time dateTime={at} className="font-mono text-ink-3 text-xs">
              {exactTime.format(new Date(at))}
            </time>
          )}
        </div>
        <p className="break-words text-ink-2 text-sm">{children}</p>
      </div>
    </li>
  );
}

/** Steps are milliseconds apart. */
const exactTime = new Intl.DateTimeFormat(undefined, {
  ...{ year: 'numeric', month: 'short', day: 'numeric' },
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
});

function Outcome({ part }: { part: Part }) {
  const state = states[part.state];
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-1 px-4 py-2.5">
      <StatusBadge {...state} axis="State" />
      <div className="min-w-0 flex-1 break-words text-ink-2 text-sm">
        {part.reading && (
          <code className="break-all font-mono text-xs">{JSON.stringify(part.reading.metrics)}</code>
        )}
        {part.quarantined && (
          <>
            {reasonOf(part.quarantined.reason)}: {part.quarantined.detail}.{' '}
            <Link
              to={`/quarantine?reason=${encodeURIComponent(part.quarantined.reason)}`}
              className="rounded-sm text-accent hover:underline"
            >
              In quarantine
            </Link>
          </>
        )}
        {part.deadLetter?.reason}
      </div>
      {part.reading && (
        <span className="font-mono text-ink-3 text-xs" title="Message id">
          {part.reading.messageId}
        </span>
      )}
    </li>
  );
}
