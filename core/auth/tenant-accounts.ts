import type { TenantId } from '../fleet/ids.ts';
import { type Limits, limitsOf, Meter, type Plan } from '../fleet/limits.ts';
import { Share } from '../fleet/share.ts';
import { TokenBucket } from '../fleet/token-bucket.ts';
import { createBatch } from '../runtime/batch.ts';

/** What one tenant sent in one minute, as it is added to what others count. */
export interface UsageReport {
  readonly tenantId: TenantId;
  /** The beginning of the minute, in ms since the epoch. */
  readonly minute: number;
  readonly messages: number;
  readonly bytes: number;
  /** How often a connection was made to wait. */
  readonly throttled: number;
  /** Messages and connects that were refused, and connections that were ended. */
  readonly refused: number;
}

/** What is counted in this process of a tenant; plain numbers, because messages count in it. */
export interface UsageCount {
  messages: number;
  bytes: number;
  throttled: number;
  refused: number;
}

/** A tenant as far as its limits are concerned. The same object for as long as somebody uses it. */
export interface TenantAccount {
  readonly tenantId: TenantId;
  readonly tenant: string;
  /** Replaced when they change. */
  limits: Limits;
  /** Of all its devices in this process together. */
  readonly meter: Meter;
  readonly connects: TokenBucket;
  /** Of the bytes that this process may have on their way to the bus. */
  readonly inflight: Share;
  readonly usage: UsageCount;
}

export interface TenantAccountsOptions {
  readonly plan: Plan;
  /** The most bytes that one tenant may have on their way to the bus. */
  readonly inflightBytes: number;
  /** How long an account is believed without asking again, in ms. */
  readonly ttlMs: number;
  /** What is written down for each tenant, in the same order; undefined for one that is unknown. */
  find(tenants: readonly string[]): Promise<readonly unknown[]>;
  /** Adds a report. One that is repeated under the same sequence counts once. */
  report(sequence: number, usage: readonly UsageReport[]): Promise<void>;
}

export interface TenantAccounts {
  readonly plan: Plan;
  /** A tenant's account. Its limits are the plan's until the database has answered, which the first time is a moment later. */
  open(tenantId: TenantId, tenant: string): TenantAccount;
  /** What is known of a tenant may have changed. */
  changed(tenant: string): void;
  changedAll(): void;
  /** A meter for one device. */
  createDeviceMeter(account: TenantAccount): Meter;
  /** Reports what was counted. Rejects when it could not; nothing is lost then. */
  flush(now: number): Promise<void>;
  /** Asks again for whatever is older than its time. */
  refresh(now: number): Promise<void>;
}

interface Entry {
  readonly account: TenantAccount;
  /** When it is to be asked for again, in ms since the epoch. */
  until: number;
}

/** When to ask again after the database did not answer. */
const RETRY_MS = 1_000;

/** The limits of tenants and what they use of them, in this process. Remembers every tenant that has been let in. */
export function createTenantAccounts(options: TenantAccountsOptions): TenantAccounts {
  const { plan } = options;
  const entries = new Map<string, Entry>();
  const load = createBatch<string, unknown>({
    name: 'the database, asked for limits,',
    maxItems: 500,
    waitMs: 1,
    maxWaiting: 20_000,
    timeoutMs: 3_000,
    run: options.find,
  });
  let unsent: { readonly sequence: number; readonly usage: readonly UsageReport[] } | undefined;
  let sequence = 0;

  const ask = async (entry: Entry) => {
    entry.until = Number.POSITIVE_INFINITY;
    try {
      apply(entry.account, limitsOf(plan, await load(entry.account.tenant)), plan);
      entry.until = Math.min(entry.until, Date.now() + options.ttlMs);
    } catch {
      entry.until = Date.now() + RETRY_MS;
    }
  };

  const collect = (now: number): UsageReport[] => {
    const minute = Math.floor(now / 60_000) * 60_000;
    const usage: UsageReport[] = [];
    for (const { account } of entries.values()) {
      const { messages, bytes, throttled, refused } = account.usage;
      if (messages + throttled + refused === 0) continue;
      usage.push({ tenantId: account.tenantId, minute, messages, bytes, throttled, refused });
      Object.assign(account.usage, NOTHING);
    }
    return usage;
  };

  return {
    plan,
    open(tenantId, tenant) {
      const known = entries.get(tenant);
      if (known) {
        if (known.until <= Date.now()) void ask(known);
        return known.account;
      }
      const account: TenantAccount = {
        ...{ tenantId, tenant, limits: plan, usage: { ...NOTHING } },
        meter: new Meter(1, 1, 1),
        connects: new TokenBucket(1, 1),
        inflight: new Share(options.inflightBytes),
      };
      apply(account, plan, plan);
      const entry = { account, until: 0 };
      entries.set(tenant, entry);
      void ask(entry);
      return account;
    },
    changed(tenant) {
      const entry = entries.get(tenant);
      if (entry) void ask(entry);
    },
    changedAll() {
      for (const entry of entries.values()) entry.until = 0;
    },
    createDeviceMeter({ limits }) {
      return new Meter(limits.deviceMessagesPerSecond, limits.deviceBytesPerSecond, plan.burstSeconds);
    },
    async flush(now) {
      if (!unsent) {
        const usage = collect(now);
        if (usage.length === 0) return;
        sequence += 1;
        unsent = { sequence, usage };
      }
      await options.report(unsent.sequence, unsent.usage);
      unsent = undefined;
    },
    async refresh(now) {
      const due = [...entries.values()].filter((entry) => entry.until <= now);
      await Promise.all(due.map(ask));
    },
  };
}

const NOTHING: Readonly<UsageCount> = { messages: 0, bytes: 0, throttled: 0, refused: 0 };

function apply(account: TenantAccount, limits: Limits, { burstSeconds, replicas }: Plan): void {
  account.limits = limits;
  const share = (perSecond: number) => perSecond / replicas;
  account.meter.configure(share(limits.messagesPerSecond), share(limits.bytesPerSecond), burstSeconds);
  account.connects.configure(share(limits.connectsPerSecond), burstSeconds);
}
