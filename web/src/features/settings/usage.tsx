import { Gauge } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { graphql } from '../../generated/index.ts';
import { PageHeader, PageSkeleton } from '../../shell/page.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { clockTime } from '../../ui/time.ts';
import {
  busiestMinute,
  formatBytes,
  formatMessages,
  formatShare,
  type Limits,
  limitRows,
  type TenantUsage,
} from './usage-view.ts';

const usageDocument = graphql(`
  query TenantUsage {
    viewer {
      id
      tenant {
        id
        usage {
          minute {
            from
            messages
            bytes
            throttled
            refused
          }
          hour {
            from
            messages
            bytes
            throttled
            refused
          }
          day {
            from
            messages
            bytes
            throttled
            refused
          }
          minutes(last: 60) {
            from
            messages
            bytes
            throttled
            refused
          }
          limits {
            messagesPerSecond
            bytesPerSecond
            connectsPerSecond
            deviceMessagesPerSecond
            deviceBytesPerSecond
            deviceConnectsPerSecond
            burstSeconds
            own
          }
        }
      }
    }
  }
`);

/** The platform adds up what was sent about as often. */
const refreshMs = 10_000;
const card = 'min-w-0 rounded-lg border border-line bg-surface shadow-1';

/** What the tenant may send, what it sent, and what was held up for it. */
export function Usage() {
  const [{ data, error }, read] = useQuery({ query: usageDocument, requestPolicy: 'cache-and-network' });
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) read({ requestPolicy: 'network-only' });
    }, refreshMs);
    return () => clearInterval(timer);
  }, [read]);
  const usage = data?.viewer.tenant.usage;
  if (!usage) {
    if (!error) return <PageSkeleton />;
    return (
      <>
        <PageHeader title="Limits and usage" />
        <ErrorPanel error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />
      </>
    );
  }
  return (
    <>
      <PageHeader title="Limits and usage">
        <State usage={usage} />
      </PageHeader>
      <div className="flex flex-col gap-4 px-4 pb-6 sm:px-5">
        {usage.day.messages + usage.day.refused === 0 ? (
          <NothingSent />
        ) : (
          <>
            <Sums usage={usage} />
            <Minutes minutes={usage.minutes} />
          </>
        )}
        <LimitTable limits={usage.limits} />
      </div>
    </>
  );
}

function State({ usage }: { usage: TenantUsage }) {
  const { share } = busiestMinute(usage);
  if (usage.hour.refused > 0) return <StatusBadge shape="ring" tone="bad" label="Refused in the last hour" />;
  if (usage.hour.throttled > 0)
    return <StatusBadge shape="half" tone="warn" label="Slowed down in the last hour" />;
  return (
    <StatusBadge
      shape="disc"
      tone="good"
      label={`${formatShare(share)} of the limit at the busiest minute`}
    />
  );
}

function NothingSent() {
  const { viewer } = useAccount();
  return (
    <EmptyState
      icon={Gauge}
      title="Nothing was sent in the last 24 hours"
      action={
        mayWriteDevices(viewer.role) ? (
          <Link to="/new-device" className={buttonClass('primary')}>
            New device
          </Link>
        ) : (
          <Link to="/devices" className={buttonClass('plain')}>
            All devices
          </Link>
        )
      }
    >
      What devices send over MQTT and HTTP is added up here, minute by minute.
    </EmptyState>
  );
}

function Sums({ usage: { minute, hour, day } }: { usage: TenantUsage }) {
  return (
    <dl className="grid overflow-hidden rounded-lg border border-line bg-surface shadow-1 max-sm:divide-y max-sm:divide-line sm:grid-cols-3 sm:divide-x sm:divide-line">
      <Sum name="This minute" counts={minute} />
      <Sum name="Last hour" counts={hour} />
      <Sum name="Last 24 hours" counts={day} />
    </dl>
  );
}

function Sum({ name, counts }: { name: string; counts: TenantUsage['day'] }) {
  return (
    <div className="px-3.5 py-2.5">
      <dt className="text-ink-3 text-xs">{name}</dt>
      <dd className="mt-0.5 font-semibold text-xl tabular-nums">
        {formatMessages(counts.messages)}{' '}
        <span className="font-normal text-ink-2 text-sm">messages, {formatBytes(counts.bytes)}</span>
      </dd>
      <dd className="mt-0.5 text-ink-3 text-sm tabular-nums">
        {formatMessages(counts.throttled)} waits, {formatMessages(counts.refused)} refused
      </dd>
    </div>
  );
}

/** A bar a minute; what was refused stands on top of what was taken. */
function Minutes({ minutes }: { minutes: TenantUsage['minutes'] }) {
  const highest = Math.max(1, ...minutes.map(({ messages, refused }) => messages + refused));
  const sum = minutes.reduce((total, { messages }) => total + messages, 0);
  const height = (count: number) => `${(100 * count) / highest}%`;
  return (
    <section aria-labelledby="minutes-heading" className={card}>
      <header className="flex flex-wrap items-baseline gap-x-3 px-3.5 pt-2.5">
        <h2 id="minutes-heading" className="font-semibold">
          Messages a minute
        </h2>
        <span className="text-ink-3 text-sm">at most {formatMessages(highest)} in the last hour</span>
      </header>
      <div
        role="img"
        aria-label={`${formatMessages(sum)} messages in the last hour, at most ${formatMessages(highest)} in one minute`}
        className="flex h-36 items-end gap-px px-3.5 pt-3"
      >
        {minutes.map(({ from, messages, refused }) => (
          <span
            key={from}
            title={`${clockTime(Date.parse(from))}: ${formatMessages(messages)} messages, ${formatMessages(refused)} refused`}
            className="flex h-full min-w-0 flex-1 flex-col justify-end hover:bg-hover"
          >
            <span className="bg-bad" style={{ height: height(refused) }} />
            <span className="rounded-t-xs bg-accent" style={{ height: height(messages) }} />
          </span>
        ))}
      </div>
      <p className="flex justify-between px-3.5 pt-1 pb-2.5 text-ink-3 text-xs">
        <span>an hour ago</span>
        <span>now</span>
      </p>
    </section>
  );
}

function LimitTable({ limits }: { limits: Limits }) {
  return (
    <section aria-labelledby="limits-heading" className={card}>
      <h2 id="limits-heading" className="border-line border-b px-3.5 py-2.5 font-semibold">
        Limits
      </h2>
      <table className="w-full table-fixed">
        <thead>
          <tr className="text-ink-3 text-xs">
            <th scope="col" className="py-2 pl-3.5 text-left font-normal">
              <span className="sr-only">What</span>
            </th>
            <th scope="col" className="py-2 pl-2 text-right font-normal">
              All devices
            </th>
            <th scope="col" className="py-2 pr-3.5 pl-2 text-right font-normal">
              Each device
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-line border-t">
          {limitRows.map(({ label, tenant, device, format }) => (
            <tr key={label}>
              <th scope="row" className="py-2 pl-3.5 text-left font-normal text-ink-2 text-sm">
                {label}
              </th>
              <LimitCell own={limits.own.includes(tenant)}>{format(limits[tenant])}</LimitCell>
              <LimitCell own={limits.own.includes(device)}>{format(limits[device])}</LimitCell>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="border-line border-t px-3.5 py-2.5 text-ink-2 text-sm">
        After a quiet time {formatMessages(limits.burstSeconds)} seconds’ worth may come at once. Above a
        limit, MQTT connections are read more slowly; nothing is lost, but whoever does not slow down is
        disconnected after a while. HTTP answers 429 and says when to try again. Limits are set by whoever
        runs the platform.
      </p>
    </section>
  );
}

function LimitCell({ own, children }: { own: boolean; children: ReactNode }) {
  return (
    <td className="py-2 pl-2 text-right font-semibold tabular-nums last:pr-3.5">
      {own && <span className="mr-1.5 font-normal text-ink-3 text-xs">your own</span>}
      {children}
    </td>
  );
}
