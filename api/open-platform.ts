import { createSecretBox } from '#core/auth/secrets.ts';
import { readStreamStates } from '#core/bus/stream-states.ts';
import { createSchemaChecks } from '#core/fleet/command-checks.ts';
import { planOf } from '#core/runtime/limits-config.ts';
import { findInvitation, findMemberships } from './database/credentials.ts';
import { createOperatorDatabase } from './database/operator.ts';
import { withReadScope } from './database/read-scope.ts';
import { createWrites } from './database/writes.ts';
import { keysFor } from './keys.ts';
import { createLiveFeeds } from './live/feeds.ts';
import { createInFlight } from './modules/conservation/in-flight.ts';
import { createDeviceCache } from './modules/devices/cache.ts';
import type { AppDeps, Platform } from './platform.ts';

/** Schemas of templates that are kept compiled. */
const MAX_SCHEMAS = 1_000;

/** What services may use, made of the connections and the configuration of the process. */
export function openPlatform(
  deps: Pick<AppDeps, 'config' | 'pool' | 'operatorPool' | 'bus' | 'metrics' | 'log' | 'keys'>,
): Platform {
  const { config, pool, bus, metrics, log, keys } = deps;
  return {
    operator: deps.operatorPool && createOperatorDatabase(deps.operatorPool, config.BUS_SHARDS),
    readStreams: () => readStreamStates(bus),
    tenantDeleteDays: config.TENANT_DELETE_DAYS,
    writes: createWrites(pool, config.BUS_SHARDS),
    live: createLiveFeeds({
      bus,
      log,
      metrics,
      shards: config.BUS_SHARDS,
      cursorKeys: keysFor(config, 'cursor'),
      queue: { events: config.LIVE_QUEUE_EVENTS, bytes: config.LIVE_QUEUE_BYTES },
      recentBytes: config.LIVE_RECENT_BYTES,
    }),
    schemaChecks: createSchemaChecks(MAX_SCHEMAS),
    devices: createDeviceCache(),
    plan: planOf(config),
    inFlight: createInFlight(bus, config.BUS_SHARDS),
    addresses: {
      mqttUrl: config.MQTT_PUBLIC_URL,
      mqttsUrl: config.MQTTS_PUBLIC_URL ?? null,
      httpUrl: config.PUBLIC_URL,
    },
    secretBox: createSecretBox(config.FLEETGRAPH_SECRET_KEY, config.FLEETGRAPH_SECRET_KEYS_PREVIOUS),
    deviceTokenKey: keys['device-token'],
    apiKeyKey: keys['api-key'],
    claimCodeKey: keys['claim-code'],
    invitationKey: keys.invitation,
    provisioningTokenKey: keys['provisioning-token'],
    findInvitation: (secretHash) => findInvitation(pool, secretHash),
    findMemberships: (person) => findMemberships(pool, person),
    readSnapshot: ({ viewer, deadline, signal }, work) =>
      withReadScope({ pool, tenantId: viewer.tenantId, deadline: deadline(), signal, snapshot: true }, work),
  };
}

/** Ends what writes. `live` ends earlier, with the sockets. */
export async function closePlatform({ writes, operator }: Platform): Promise<void> {
  await writes.close();
  await operator?.close();
}
