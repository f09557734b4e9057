import { History } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { mayAdminister, useAccount } from '../../auth/viewer.tsx';
import { Button } from '../../ui/button.tsx';
import { useClock } from '../../ui/clock.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusShape } from '../../ui/status.tsx';
import { absoluteTime, clockTime } from '../../ui/time.ts';
import { useUrlState } from '../../ui/url-state.ts';
import { useDevice } from '../devices/device-detail.ts';
import { devicePath } from '../devices/device-link.ts';
import { RangePicker } from '../devices/range-picker.tsx';
import { boundsOf, timeRangeCodec } from '../devices/time-range.ts';
import { deviceAuditDocument, deviceTimelineDocument } from './timeline-documents.ts';
import {
  kindNames,
  mergeTimeline,
  type TimelineItem,
  type TimelineKind,
  timelineKinds,
  wholeSince,
} from './timeline-view.ts';

/** As many of each kind as one question may bring. */
const first = 100;
const stepMs = 15_000;
const kindOptions = timelineKinds.map((value) => ({ value, label: kindNames[value] }));

/** Everything that happened to the device, in one line of time. */
export function DeviceTimeline() {
  const { id, key } = useDevice();
  const { viewer } = useAccount();
  const [range, setRange] = useUrlState(timeRangeCodec);
  const [kinds, setKinds] = useState<readonly TimelineKind[]>([]);
  const nowMs = useClock((ms) => Math.ceil(ms / stepMs) * stepMs);
  const bounds = useMemo(() => boundsOf(range, nowMs), [range, nowMs]);
  const [from, to] = [new Date(bounds.fromMs).toISOString(), new Date(bounds.toMs).toISOString()];
  const [{ data, error }, refetch] = useQuery({
    query: deviceTimelineDocument,
    variables: { id, from, to, first },
    requestPolicy: 'network-only',
  });
  const [{ data: log }] = useQuery({
    query: deviceAuditDocument,
    variables: { where: { target: id, from, to }, first },
    pause: !mayAdminister(viewer.role),
    requestPolicy: 'network-only',
  });
  const device = data?.node?.__typename === 'Device' ? data.node : undefined;
  const items = useMemo(
    () => (device ? mergeTimeline(device, log?.auditEntries, bounds) : []),
    [device, log, bounds],
  );
  const since = device && wholeSince(device, log?.auditEntries);
  const shown = kinds.length === 0 ? items : items.filter(({ kind }) => kinds.includes(kind));
  return (
    <div className="flex flex-col gap-3 p-4 sm:p-5">
      <div className="flex flex-wrap items-center gap-2">
        <RangePicker range={range} onChange={(next) => setRange(next, { push: next.kind === 'fixed' })} />
        <FilterMenu label="Kind" options={kindOptions} value={kinds} onChange={setKinds} />
      </div>
      {error && !device ? (
        <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
      ) : !device ? (
        <Skeleton className="h-64 rounded-lg" />
      ) : shown.length === 0 ? (
        <EmptyState
          icon={History}
          title="Nothing happened"
          action={
            kinds.length > 0 ? (
              <Button onClick={() => setKinds([])}>Show every kind</Button>
            ) : (
              <Link to="?range=30d" className="font-medium text-accent hover:underline">
                Show the last 30 days
              </Link>
            )
          }
        >
          Changes of presence, shadow, commands and modules, and messages that are missing appear here.
        </EmptyState>
      ) : (
        <Days items={shown} deviceKey={key} />
      )}
      {since !== undefined && since > bounds.fromMs && (
        <p role="status" className="text-ink-2 text-sm">
          Before {absoluteTime(since)} some of what happened is left out: there is too much of it. Choose a
          shorter range to see all.
        </p>
      )}
    </div>
  );
}

const dayOf = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

function Days({ items, deviceKey }: { items: readonly TimelineItem[]; deviceKey: string }) {
  const days = new Map<string, TimelineItem[]>();
  for (const item of items) {
    const day = dayOf.format(Date.parse(item.at));
    days.set(day, [...(days.get(day) ?? []), item]);
  }
  return [...days].map(([day, ofDay]) => (
    <section key={day} aria-label={day} className="rounded-lg border border-line bg-surface shadow-1">
      <h2 className="border-line border-b px-3.5 py-2 text-ink-3 text-sm">{day}</h2>
      <ol className="divide-y divide-line">
        {ofDay.map((item) => (
          <Item key={item.id} item={item} deviceKey={deviceKey} />
        ))}
      </ol>
    </section>
  ));
}

function Item({ item, deviceKey }: { item: TimelineItem; deviceKey: string }) {
  const { at, kind, text, note, look, tab } = item;
  return (
    <li data-kind={kind} className="flex min-h-10 flex-wrap items-baseline gap-x-3 px-3.5 py-1.5 text-sm">
      <time dateTime={at} title={absoluteTime(Date.parse(at))} className="w-24 text-ink-3 text-xs">
        {clockTime(Date.parse(at))}
      </time>
      <StatusShape shape={look.shape} tone={look.tone} />
      <span className="min-w-0 break-words">
        {tab ? (
          <Link to={devicePath(deviceKey, tab)} className="font-medium hover:underline">
            {text}
          </Link>
        ) : (
          <span className="font-medium">{text}</span>
        )}
        {note && <span className="ml-2 text-ink-2">{note}</span>}
      </span>
    </li>
  );
}
