import { type BusMessage, done, type Fate, reject } from '#core/bus/consume.ts';
import { EventError, encodeEvents, type PresenceEvent } from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { type OpenEvents, openEvents } from '#core/bus/telemetry-batch.ts';
import { writeOutbox } from '#core/db/outbox.ts';
import { type Connection, type Pool, transaction } from '#core/db/pool.ts';
import {
  beginPresence,
  type DevicePresence,
  findCredentialLives,
  findUnheardSessions,
  insertPresenceChanges,
  lockCredentialDue,
  lockFading,
  lockPresence,
  takeLostSessions,
  writeCredentialStates,
  writePresence,
} from '#core/db/presence.ts';
import { changesBetween } from '#core/fleet/availability.ts';
import { credentialStateAt } from '#core/fleet/credential-state.ts';
import {
  afterHearing,
  applySignal,
  type PresenceSignal,
  presenceChanged,
  withFreshness,
} from '#core/fleet/presence.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { EvaluatorMetrics } from './metrics.ts';

export interface PresenceDeps {
  readonly pool: Pool;
  readonly shards: number;
  readonly metrics: EvaluatorMetrics;
}

interface DeviceSignals {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly signals: PresenceSignal[];
}

/** What a transaction did to presence. */
interface Settled {
  readonly after: readonly DevicePresence[];
  readonly changed: readonly DevicePresence[];
  readonly now: number;
}

const NOTHING: Settled = { after: [], changed: [], now: 0 };

export interface PresenceFollower {
  /** Takes a batch of EVENTS messages into presence, all in one transaction with the events it causes. */
  handle(messages: readonly BusMessage[]): Promise<Fate[]>;
  /** Until when everything on the stream is known to have been heard; undefined before the first message. */
  heardUntil(): number | undefined;
  /** Moves devices that have fallen silent by `now`; returns how many changed. */
  sweepFreshness(now: number): Promise<number>;
  /** Moves devices whose credentials were added, revoked, or are about to end; returns how many changed. */
  sweepCredentials(now: number): Promise<number>;
  /** Begins the presence of devices that have a credential and were never heard of; returns how many. */
  sweepStrangers(): Promise<number>;
  /** Sessions of gateways that are gone become UNKNOWN; returns how many. */
  sweepGateways(now: number): Promise<number>;
  /** Takes in sessions whose event was lost with the window of the stream; returns how many. */
  sweepUnheard(now: number): Promise<number>;
}

/** Devices in one transaction of a sweep; what is more is the next transaction's. */
const SWEEP_LIMIT = 25_000;
/** Devices in one message: far below the largest that the bus takes. */
const MESSAGE_DEVICES = 1_000;
/** The event of a session this old has had its time to arrive. */
const UNHEARD_AGE_MS = 30_000;
/** Traffic of a device that is fresh anyway is written down at most this often. */
const SEEN_EVERY_MS = 5_000;
const MAX_REMEMBERED = 500_000;

export function createPresenceFollower(deps: PresenceDeps): PresenceFollower {
  /** When traffic of a device will next be worth a write, so that a busy device does not cost one each second. */
  const seenAgainAt = new Map<number, number>();
  let heardUntil: number | undefined;
  const hearUntil = (messages: readonly BusMessage[]) => {
    for (const { streamedAt } of messages) heardUntil = Math.max(heardUntil ?? 0, streamedAt);
  };

  /** Writes down and announces what has changed. */
  const conclude = async (
    connection: Connection,
    before: readonly DevicePresence[],
    after: readonly DevicePresence[],
    now: number,
  ): Promise<Settled> => {
    const changed = after.filter((device, index) => {
      const was = before[index];
      return was !== undefined && presenceChanged(was.state, device.state);
    });
    const changes = after.flatMap((device, index) => {
      const was = before[index]?.state ?? device.state;
      const { tenantId, deviceId } = device;
      return changesBetween(was, device.state, now, device.intervalSeconds).map((change) => {
        return { ...change, tenantId, deviceId };
      });
    });
    await insertPresenceChanges(connection, changes);
    await writeOutbox(connection, presenceMessages(changed, now, deps.shards));
    return { after, changed, now };
  };

  const settle = async (
    connection: Connection,
    devices: readonly DevicePresence[],
    signalsOf: (device: DevicePresence) => readonly PresenceSignal[],
    now: number,
  ): Promise<Settled> => {
    const after = devices.map((device) => {
      const heard = signalsOf(device).reduce(applySignal, device.state);
      return { ...device, state: afterHearing(device.state, heard) };
    });
    await writePresence(connection, after);
    return conclude(connection, devices, after, now);
  };

  const fade = async (connection: Connection, now: number): Promise<Settled> => {
    const devices = await lockFading(connection, new Date(now), SWEEP_LIMIT);
    if (devices.length === 0) return NOTHING;
    const after = devices.map((device) => {
      return { ...device, state: withFreshness(device.state, now, device.intervalSeconds) };
    });
    await writePresence(connection, after);
    return conclude(connection, devices, after, now);
  };

  const judgeCredentials = async (connection: Connection, now: number): Promise<Settled> => {
    const devices = await lockCredentialDue(connection, new Date(now), SWEEP_LIMIT);
    if (devices.length === 0) return NOTHING;
    const lives = await findCredentialLives(
      connection,
      devices.map(({ deviceId }) => deviceId),
    );
    const judged = devices.map((device) => {
      const { state: credential, until } = credentialStateAt(now, lives.get(device.deviceId) ?? []);
      return { presence: { ...device, state: { ...device.state, credential } }, until };
    });
    await writeCredentialStates(connection, judged);
    return conclude(
      connection,
      devices,
      judged.map(({ presence }) => presence),
      now,
    );
  };

  /** Only what is committed may be remembered: a message that comes again must count again. */
  const remember = ({ after, changed, now }: Settled): number => {
    for (const device of after) {
      if (seenAgainAt.size >= MAX_REMEMBERED) seenAgainAt.clear();
      const pause = Math.min(SEEN_EVERY_MS, device.intervalSeconds * 500);
      if (device.state.freshness === 'FRESH')
        seenAgainAt.set(device.deviceId, (device.state.lastSeenAt ?? now) + pause);
      else seenAgainAt.delete(device.deviceId);
    }
    for (const {
      state: { connection, freshness, credential },
    } of changed)
      deps.metrics.changes.inc({ connection, freshness, credential });
    return changed.length;
  };

  const settleSessions = async <Session extends { readonly tenantId: number; readonly deviceId: number }>(
    connection: Connection,
    sessions: readonly Session[],
    signalOf: (session: Session) => PresenceSignal,
    now: number,
  ): Promise<Settled> => {
    if (sessions.length === 0) return NOTHING;
    const signals = new Map(sessions.map((session) => [session.deviceId, [signalOf(session)]]));
    const devices = await lockPresence(connection, sessions);
    return settle(connection, devices, (device) => signals.get(device.deviceId) ?? [], now);
  };

  /** Again while there is more than one transaction takes. */
  const repeat = async (step: () => Promise<Settled>): Promise<number> => {
    let changed = 0;
    for (;;) {
      const settled = await step();
      changed += remember(settled);
      if (settled.after.length < SWEEP_LIMIT) return changed;
    }
  };

  return {
    async handle(messages) {
      const heard = new Map<number, DeviceSignals>();
      const fates = messages.map((message): Fate => {
        try {
          collect(openEvents(message.bytes), heard);
          return done;
        } catch (error) {
          if (error instanceof EventError) return reject(error.message);
          throw error;
        }
      });
      const worthIt = [...heard.values()].filter(
        (device) => !onlyExpectedTraffic(device, seenAgainAt.get(device.deviceId)),
      );
      if (worthIt.length === 0) {
        hearUntil(messages);
        return fates;
      }
      const settled = await transaction(deps.pool, async (connection) => {
        const devices = await lockPresence(connection, worthIt);
        return settle(connection, devices, (device) => heard.get(device.deviceId)?.signals ?? [], Date.now());
      });
      remember(settled);
      hearUntil(messages);
      return fates;
    },

    heardUntil: () => heardUntil,

    sweepFreshness: (now) => repeat(() => transaction(deps.pool, (connection) => fade(connection, now))),

    sweepCredentials: (now) =>
      repeat(() => transaction(deps.pool, (connection) => judgeCredentials(connection, now))),

    sweepStrangers: () => beginPresence(deps.pool, SWEEP_LIMIT),

    sweepGateways: async (now) =>
      remember(
        await transaction(deps.pool, async (connection) => {
          const lost = await takeLostSessions(connection);
          return settleSessions(
            connection,
            lost,
            (session) => ({ kind: 'lost', at: now, epoch: session.epoch }),
            now,
          );
        }),
      ),

    sweepUnheard: async (now) =>
      remember(
        await transaction(deps.pool, async (connection) => {
          const unheard = await findUnheardSessions(connection, UNHEARD_AGE_MS, SWEEP_LIMIT);
          return settleSessions(
            connection,
            unheard,
            ({ epoch, connectedAt: at }) => ({ kind: 'connected', at, epoch }),
            now,
          );
        }),
      ),
  };
}

function collect(message: OpenEvents, heard: Map<number, DeviceSignals>): void {
  const hear = (tenantId: number, deviceId: number, signal: PresenceSignal) => {
    const device = heard.get(deviceId);
    if (!device) heard.set(deviceId, { tenantId, deviceId, signals: [signal] });
    else {
      const last = device.signals.at(-1);
      if (signal.kind === 'traffic' && last?.kind === 'traffic') {
        if (signal.at > last.at) device.signals[device.signals.length - 1] = signal;
      } else device.signals.push(signal);
    }
  };
  switch (message.kind) {
    case 'telemetry':
      for (const { tenantId, deviceIds, receivedAt } of message.parts) {
        for (let index = 0; index < deviceIds.length; index++) {
          const [deviceId, at] = [deviceIds[index], receivedAt[index]];
          if (deviceId !== undefined && at !== undefined) hear(tenantId, deviceId, { kind: 'traffic', at });
        }
      }
      return;
    case 'heartbeat':
      for (const event of message.events)
        hear(message.tenantId, event.deviceId, { kind: 'traffic', at: event.at });
      return;
    case 'session':
      for (const { deviceId, at, connection, epoch } of message.events) {
        if (epoch === undefined) hear(message.tenantId, deviceId, { kind: 'said', at, connection });
        else {
          const kind = connection === 'ONLINE' ? 'connected' : 'disconnected';
          hear(message.tenantId, deviceId, { kind, at, epoch: BigInt(epoch) });
        }
      }
      return;
    case 'presence':
    case 'device':
    case 'sequence':
    case 'credential':
      return;
  }
}

/** Nothing but traffic, from a device that is known to be fresh and whose last sight is recent enough. */
function onlyExpectedTraffic(device: DeviceSignals, writeAgainAt: number | undefined): boolean {
  return (
    writeAgainAt !== undefined &&
    device.signals.every((signal) => signal.kind === 'traffic' && signal.at < writeAgainAt)
  );
}

function presenceMessages(changed: readonly DevicePresence[], now: number, shards: number) {
  return [...Map.groupBy(changed, (device) => device.tenantId).values()].flatMap((devices) => {
    const [first] = devices;
    if (!first) return [];
    const { tenant, tenantId } = first;
    const shard = shardOf(tenant, shards);
    return Array.from({ length: Math.ceil(devices.length / MESSAGE_DEVICES) }, (_, index) => {
      const events = devices
        .slice(index * MESSAGE_DEVICES, (index + 1) * MESSAGE_DEVICES)
        .map((device) => presenceEvent(device, now));
      const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'presence', events });
      return { tenantId, shard, subject: eventsSubject(shard, 'presence'), payload };
    });
  });
}

const presenceEvent = (device: DevicePresence, at: number): PresenceEvent => ({
  deviceId: device.deviceId,
  device: device.device,
  siteId: device.siteId,
  at,
  connection: device.state.connection,
  freshness: device.state.freshness,
  credential: device.state.credential,
  lastSeenAt: device.state.lastSeenAt,
  connectionChangedAt: device.state.connectionChangedAt,
});
