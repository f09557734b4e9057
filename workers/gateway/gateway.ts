import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '#core/auth/credential-cache.ts';
import type { TenantAccounts } from '#core/auth/tenant-accounts.ts';
import type { Bus } from '#core/bus/connect.ts';
import { listenControl } from '#core/bus/control.ts';
import type { FramePublisher } from '#core/bus/frame-publisher.ts';
import { controlSubject } from '#core/bus/subjects.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { Admission } from './admission.ts';
import type { Claims } from './claims.ts';
import type { DelayedWills } from './delayed-wills.ts';
import type { DownlinkFollower } from './downlink-follower.ts';
import type { Listener } from './listener.ts';
import type { MessageTally } from './metrics.ts';
import { closeIfRevoked, closeRevoked } from './reconcile.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { Sessions } from './sessions.ts';

/** The rows about gateways in the database. */
export interface GatewayRows {
  renewLease(): Promise<void>;
  dropLease(): Promise<void>;
  /** See `reconcile`. */
  reconcile(): Promise<void>;
  touchCredentials(ids: readonly number[]): Promise<void>;
}

export interface GatewayDeps {
  readonly log: Logger;
  readonly bus: Bus;
  readonly frames: FramePublisher;
  readonly listener: Listener;
  readonly sessions: Sessions;
  readonly credentials: Credentials;
  readonly claims: Claims;
  readonly accounts: TenantAccounts;
  readonly refusals: RefusalLog;
  readonly downlink: DownlinkFollower;
  readonly wills: DelayedWills;
  readonly keeper: SessionKeeper;
  readonly tally: MessageTally;
  readonly rows: GatewayRows;
  /** Credentials that let somebody in since the last time. */
  readonly usedCredentials: Set<number>;
}

const LEASE_EVERY_MS = 5_000;
const RECONCILE_EVERY_MS = 30_000;
const TICK_MS = 1_000;
const USAGE_EVERY_MS = 10_000;
/** Of the time to stop in, this much is kept for the goodbyes. */
const GOODBYE_MS = 1_500;

/** The gateway as a service: opens after its lease is written, stops without losing what it acknowledged. */
export function createGateway(deps: GatewayDeps): Service {
  const { log, bus, listener, sessions, credentials, claims, accounts, rows } = deps;
  let ready = false;
  const clocks: Clock[] = [];

  const listen = () => {
    for (const kind of ['credential', 'device'] as const) {
      listenControl(bus, kind, ({ tenant, id }) => {
        credentials.forget(tenant, id);
        const held = sessions.get(tenant, id);
        if (!held) return;
        closeIfRevoked(held, credentials).catch((error: unknown) =>
          log.warn(
            { err: error, tenant, device: id },
            'cannot tell whether a session may go on; asking again later',
          ),
        );
      });
    }
    listenControl(bus, 'tenant', ({ tenant }) => {
      credentials.forgetTenant(tenant);
      const held = [...sessions.all()].filter((each) => each.admission.tenant === tenant);
      closeRevoked(held, credentials).catch((error: unknown) =>
        log.warn({ err: error, tenant }, 'cannot tell whether sessions may go on; asking again later'),
      );
    });
    listenControl(bus, 'session', ({ tenant, id, version }) => {
      deps.wills.cancel(tenant, id, BigInt(version));
      const held = sessions.get(tenant, id);
      if (held && held.admission.epoch < BigInt(version)) held.close('taken_over');
    });
    listenControl(bus, 'limits', ({ tenant }) => accounts.changed(tenant));
    bus.onReconnect(() => {
      credentials.forgetAll();
      accounts.changedAll();
      rows
        .reconcile()
        .catch((error: unknown) => log.warn({ err: error }, 'not reconciled; trying again later'));
    });
  };

  const touch = async () => {
    const ids = [...deps.usedCredentials];
    if (ids.length === 0) return;
    await rows.touchCredentials(ids);
    for (const id of ids) deps.usedCredentials.delete(id);
  };

  return {
    async start() {
      await rows.renewLease();
      await claims.settle();
      listen();
      await listener.open();
      clocks.push(
        every(TICK_MS, 'tick', log, async () => {
          deps.tally.publish();
          listener.tick(Date.now(), bus.connected());
          deps.wills.tick(Date.now());
          deps.refusals.tick(Date.now());
        }),
        every(LEASE_EVERY_MS, 'lease', log, async () => {
          await rows.renewLease();
          await claims.settle();
          await deps.keeper.settle(sessions.all());
          await touch();
        }),
        every(RECONCILE_EVERY_MS, 'reconcile', log, () => rows.reconcile()),
        every(USAGE_EVERY_MS, 'usage', log, async () => {
          await accounts.refresh(Date.now());
          await accounts.flush(Date.now());
        }),
      );
      ready = true;
      log.info({ port: listener.port }, 'listening for devices');
    },

    async stop(deadlineMs) {
      ready = false;
      await Promise.all(clocks.map((clock) => clock.stop()));
      listener.stopReading();
      await within(Math.max(deadlineMs - GOODBYE_MS, 0), untilAnswered(deps));
      const abandoned = listener.inflight;
      listener.closeAll('gateway_stopping');
      deps.wills.sayAll();
      await within(GOODBYE_MS, deps.frames.flush());
      await within(
        GOODBYE_MS,
        (async () => {
          await deps.keeper.settle([]);
          await claims.settle();
          await accounts.flush(Date.now());
          await rows.dropLease();
        })().catch((error: unknown) =>
          log.warn({ err: error }, 'sessions not written off; the lease will run out'),
        ),
      );
      deps.tally.publish();
      await within(GOODBYE_MS, deps.downlink.stop());
      await listener.close();
      return { abandoned };
    },

    ready: () => ready && bus.connected(),
  };
}

/** Everything read so far is stored, and its PUBACKs are on their way. */
async function untilAnswered(deps: GatewayDeps): Promise<void> {
  await deps.frames.flush();
  while (deps.listener.inflight > 0) await sleep(5);
  await new Promise((resolve) => setImmediate(resolve));
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, sleep(ms, undefined, { ref: false })]);
}

/** Tells the other gateways that a device's session is here now. */
export function announceSession(bus: Bus, admission: Admission): void {
  if (!bus.connected()) return;
  const { tenant, tenantId, device: id, epoch } = admission;
  bus.connection.publish(
    controlSubject('session'),
    JSON.stringify({ tenant, tenantId, id, version: Number(epoch) }),
  );
}
