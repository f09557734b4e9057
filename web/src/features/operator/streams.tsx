import { type ReactNode, useCallback, useEffect, useState } from 'react';
import type { CombinedError } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { PageSkeleton } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { type Streams, streamsDocument } from './documents.ts';
import { useReason } from './reason.ts';

type State = {
  readonly data: { readonly operator: Streams } | undefined;
  readonly error: CombinedError | undefined;
  readonly fetching: boolean;
};
const nothingYet: State = { data: undefined, error: undefined, fetching: true };

/** What waits on the bus, who reads it, and what stands behind a commit. */
export function StreamsPage() {
  const { direct } = useAccount();
  const reason = useReason();
  const [{ data, error, fetching }, setState] = useState<State>(nothingYet);
  const load = useCallback(() => {
    setState((before) => ({ ...before, fetching: true }));
    const query = direct.query(streamsDocument, { reason }, { requestPolicy: 'network-only' });
    return query.subscribe(({ data: answer, error: problem }) =>
      setState((before) => ({ data: answer ?? before.data, error: problem, fetching: false })),
    );
  }, [direct, reason]);
  useEffect(() => load().unsubscribe, [load]);
  if (error && !data) return <ErrorPanel error={error} onRetry={load} />;
  if (!data) return <PageSkeleton />;
  const { streams, gateways, processes, leases, durability } = data.operator;
  return (
    <div className="flex flex-col gap-6 overflow-y-auto px-4 py-4 sm:px-5">
      <div className="flex flex-wrap items-center gap-3">
        <p className="text-ink-2 text-sm">
          PostgreSQL: fsync {durability.fsync ? 'on' : 'OFF'}, synchronous commit{' '}
          {durability.synchronousCommit}, {durability.synchronousStandbys} standby servers confirm.
        </p>
        <Button className="ml-auto" disabled={fetching} onClick={load}>
          Refresh
        </Button>
      </div>
      <StreamTable streams={streams} />
      <Plain
        title="Gateways"
        heads={['Gateway', 'Sessions', 'Lease ends']}
        rows={gateways.map(({ name, sessions, leaseExpiresAt }) => [
          name,
          sessions.toLocaleString(),
          <RelativeTime key="lease" at={leaseExpiresAt} ahead />,
        ])}
      />
      <Plain
        title="What each process accepted in the last 5 minutes, and what became of it"
        heads={['Process', 'Accepted', 'Stored', 'Duplicate', 'Quarantined', 'Dead-lettered']}
        rows={processes.map(({ process, accepted, stored, duplicate, quarantined, deadLettered }) => [
          process ?? 'not said',
          ...[accepted, stored, duplicate, quarantined, deadLettered].map((count) => count.toLocaleString()),
        ])}
      />
      <Plain
        title="Workers that lead"
        heads={['Process', 'Leads in', 'Until']}
        rows={leases.map(({ holder, names, expiresAt }) => [
          holder,
          names.length > 3
            ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
            : names.join(', '),
          <RelativeTime key="until" at={expiresAt} ahead />,
        ])}
      />
    </div>
  );
}

type Consumers = Streams['streams'][number]['consumers'];

/** Workers one by one; those that come and go with whoever follows a stream, together. */
function readersOf(consumers: Consumers) {
  const workers = consumers.filter(({ durable }) => durable).map((each) => ({ ...each, what: 'worker' }));
  const followers = consumers.filter(({ durable }) => !durable);
  if (followers.length === 0) return workers;
  const most = (read: (consumer: Consumers[number]) => number) => Math.max(...followers.map(read));
  return [
    ...workers,
    {
      name: `${followers.length.toLocaleString()} followers`,
      what: 'the furthest behind of them',
      pending: most(({ pending }) => pending),
      unacknowledged: most(({ unacknowledged }) => unacknowledged),
      redelivered: most(({ redelivered }) => redelivered),
    },
  ];
}

function StreamTable({ streams }: { streams: Streams['streams'] }) {
  const rows = streams.flatMap((stream) => [
    [
      <strong key="name">{stream.name}</strong>,
      `${stream.messages.toLocaleString()} messages, ${(stream.bytes / 1_048_576).toFixed(1)} MiB, ${stream.replicas} × ${stream.storage}`,
      stream.oldestAt ? <RelativeTime key="oldest" at={stream.oldestAt} /> : 'empty',
      '',
      '',
    ],
    ...readersOf(stream.consumers).map((consumer) => [
      <span key="name" className="pl-4">
        {consumer.name}
      </span>,
      consumer.what,
      `${consumer.pending.toLocaleString()} waiting`,
      consumer.unacknowledged.toLocaleString(),
      consumer.redelivered.toLocaleString(),
    ]),
  ]);
  return (
    <Plain
      title="Streams"
      heads={['Stream, consumer', 'What', 'Oldest, lag', 'Unanswered', 'Redelivered']}
      rows={rows}
    />
  );
}

function Plain(props: { title: string; heads: readonly string[]; rows: readonly (readonly ReactNode[])[] }) {
  const { title, heads, rows } = props;
  return (
    <section>
      <h2 className="mb-2 font-semibold text-base">{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who uses the keyboard must be able to scroll it */}
      <section aria-label={title} tabIndex={0} className="overflow-x-auto rounded-md border border-line">
        <table className="w-full min-w-xl text-left text-sm">
          <thead className="bg-sunken text-ink-2 text-xs">
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col" className="px-3 py-2 font-medium">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {rows.length === 0 && (
              <tr>
                <td colSpan={heads.length} className="px-3 py-2 text-ink-3">
                  None.
                </td>
              </tr>
            )}
            {rows.map((cells, row) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows are replaced as a whole
              <tr key={row}>
                {heads.map((head, column) => (
                  <td key={head} className="max-w-80 break-words px-3 py-2 tabular-nums">
                    {cells[column]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
