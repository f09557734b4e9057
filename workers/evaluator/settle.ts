import { writeOutbox } from '#core/db/outbox.ts';
import type { Connection } from '#core/db/pool.ts';
import {
  type DevicePresence,
  findCredentialLives,
  insertPresenceChanges,
  lockCredentialDue,
  lockFading,
  lockPresence,
  type PresenceToWrite,
  writeCredentialStates,
  writePresence,
} from '#core/db/presence.ts';
import { changesBetween } from '#core/fleet/availability.ts';
import { credentialStateAt } from '#core/fleet/credential-state.ts';
import {
  afterHearing,
  applySignal,
  type PresenceSignal,
  type PresenceState,
  presenceChanged,
  withFreshness,
} from '#core/fleet/presence.ts';
import { watchMetrics } from '#core/fleet/required-metrics.ts';
import { presenceMessages } from './presence-messages.ts';

/** Devices in one transaction of a sweep; what is more is the next transaction's. */
export const SWEEP_LIMIT = 25_000;

/** What a transaction did to presence. */
export interface Settled {
  readonly after: readonly DevicePresence[];
  readonly changed: readonly DevicePresence[];
  readonly now: number;
}

export const NOTHING: Settled = { after: [], changed: [], now: 0 };

/** A transaction, and into how many shards its events go. */
export interface Desk {
  readonly connection: Connection;
  readonly shards: number;
}

/** Takes what was heard of locked devices into their presence. */
export async function settle(
  desk: Desk,
  devices: readonly DevicePresence[],
  signalsOf: (device: DevicePresence) => readonly PresenceSignal[],
  now: number,
): Promise<Settled> {
  const after = devices.map((device) => {
    const heard = signalsOf(device).reduce(applySignal, device.state);
    return watched(device, afterHearing(device.state, heard));
  });
  await writePresence(desk.connection, after);
  return conclude(desk, devices, after, now);
}

/** A device in its new state; one with a template that was not fresh and has been heard of has its metrics looked at. */
function watched(before: DevicePresence, state: PresenceState): PresenceToWrite {
  const { lastSeenAt } = state;
  const wasFresh = before.state.freshness === 'FRESH';
  if (!before.template || wasFresh || lastSeenAt === null || lastSeenAt === before.state.lastSeenAt)
    return { ...before, state };
  const { dueAt, since } = watchMetrics(lastSeenAt, state.missingMetrics, before.intervalSeconds);
  const metricsSince = since ?? before.metricsSince;
  return { ...before, state, metricsSince, metricsDue: { at: dueAt, settled: false } };
}

/** Locks the devices of these sessions and takes one signal of each into their presence. */
export async function settleSessions<
  Session extends { readonly tenantId: number; readonly deviceId: number },
>(
  desk: Desk,
  sessions: readonly Session[],
  signalOf: (session: Session) => PresenceSignal,
  now: number,
): Promise<Settled> {
  if (sessions.length === 0) return NOTHING;
  const signals = new Map(sessions.map((session) => [session.deviceId, [signalOf(session)]]));
  const devices = await lockPresence(desk.connection, sessions);
  return settle(desk, devices, (device) => signals.get(device.deviceId) ?? [], now);
}

/** Moves devices that have been silent for too long; at most SWEEP_LIMIT. */
export async function settleFading(desk: Desk, now: number): Promise<Settled> {
  const devices = await lockFading(desk.connection, new Date(now), SWEEP_LIMIT);
  if (devices.length === 0) return NOTHING;
  const after = devices.map((device) => {
    return { ...device, state: withFreshness(device.state, now, device.intervalSeconds) };
  });
  await writePresence(desk.connection, after);
  return conclude(desk, devices, after, now);
}

/** Moves devices whose credentials are due to be looked at; at most SWEEP_LIMIT. */
export async function settleCredentials(desk: Desk, now: number): Promise<Settled> {
  const devices = await lockCredentialDue(desk.connection, new Date(now), SWEEP_LIMIT);
  if (devices.length === 0) return NOTHING;
  const lives = await findCredentialLives(
    desk.connection,
    devices.map(({ deviceId }) => deviceId),
  );
  const judged = devices.map((device) => {
    const { state: credential, until } = credentialStateAt(now, lives.get(device.deviceId) ?? []);
    return { presence: { ...device, state: { ...device.state, credential } }, until };
  });
  await writeCredentialStates(desk.connection, judged);
  return conclude(
    desk,
    devices,
    judged.map(({ presence }) => presence),
    now,
  );
}

/** Writes down and announces what has changed in devices that are written. */
export async function conclude(
  { connection, shards }: Desk,
  before: readonly DevicePresence[],
  after: readonly DevicePresence[],
  now: number,
): Promise<Settled> {
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
  await writeOutbox(connection, presenceMessages(changed, now, shards));
  return { after, changed, now };
}
