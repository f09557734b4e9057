import { lockMetricsDue, type PresenceToWrite, writePresence } from '#core/db/presence.ts';
import { findFollowedShards, findMetricsHeard, findRequiredMetrics } from '#core/db/required-metrics.ts';
import { withFreshness } from '#core/fleet/presence.ts';
import { judgeMetrics, LATEST_LAG_MS } from '#core/fleet/required-metrics.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { conclude, type Desk, NOTHING, type Settled, SWEEP_LIMIT } from './settle.ts';

/**
 * Looks at the metrics of devices that are due; at most SWEEP_LIMIT. Those of a shard whose latest values nobody writes are looked at
 * later. A handful of statements, however many devices there are.
 */
export async function settleMetrics(desk: Desk, now: number): Promise<Settled> {
  const { connection, shards } = desk;
  const devices = await lockMetricsDue(connection, new Date(now), SWEEP_LIMIT);
  if (devices.length === 0) return NOTHING;
  const requirements = await findRequiredMetrics(
    connection,
    devices.map(({ template }) => template),
  );
  const wanted = devices.map((device, index) => ({ device, required: requirements[index] ?? [] }));
  const asked = wanted.filter(({ required }) => required.length > 0);
  const followed = await findFollowedShards(connection, LATEST_LAG_MS);
  const heard = await findMetricsHeard(
    connection,
    asked.map(({ device, required }) => ({ deviceId: device.deviceId, metrics: required })),
  );
  const after = wanted.map(({ device, required }): PresenceToWrite => {
    if (required.length > 0 && !followed.has(shardOf(device.tenant, shards)))
      return { ...device, metricsDue: { at: now + LATEST_LAG_MS, settled: true } };
    const { heardAt = new Map<string, number>(), dataAt } = heard.get(device.deviceId) ?? {};
    const { intervalSeconds } = device;
    const since = device.metricsSince ?? now;
    const known = { required, heardAt, dataAt, since, lastSeenAt: device.state.lastSeenAt, intervalSeconds };
    const { missing, dueAt } = judgeMetrics(known, now);
    const state = withFreshness({ ...device.state, missingMetrics: missing }, now, intervalSeconds);
    return { ...device, state, metricsSince: since, metricsDue: { at: dueAt, settled: true } };
  });
  await writePresence(connection, after);
  return conclude(desk, devices, after, now);
}
