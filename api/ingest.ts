import { randomUUID } from 'node:crypto';
import { type Credentials, createCredentials } from '#core/auth/credential-cache.ts';
import { createTenantAccounts, type TenantAccounts } from '#core/auth/tenant-accounts.ts';
import { createFramePublisher } from '#core/bus/frame-publisher.ts';
import type { Publisher } from '#core/bus/publish.ts';
import { lookUpDeviceAccess } from '#core/db/device-credentials.ts';
import { claimIngestKeys } from '#core/db/ingest-keys.ts';
import type { Pool } from '#core/db/pool.ts';
import { addUsage, findTenantLimits } from '#core/db/usage.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { planOf } from '#core/runtime/limits-config.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { ApiConfig } from './config.ts';
import { createIngestDoors, type IngestDoors } from './http/ingest.ts';
import { createIngestIntake } from './http/ingest-intake.ts';
import { createIngestLimits } from './http/ingest-limits.ts';
import { createProvisioningDoor } from './http/ingest-provision.ts';
import type { Provision } from './modules/provisioning-tokens/provision.ts';

export interface Ingest {
  readonly doors: IngestDoors;
  readonly credentials: Credentials;
  readonly accounts: TenantAccounts;
}

export interface IngestDeps {
  readonly config: ApiConfig;
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
  readonly provision: Provision;
  /** Hashes the secrets of devices. */
  readonly deviceTokenKey: Buffer;
}

/** The doors of devices, with all they need between the database and the bus. */
export function createIngest(deps: IngestDeps): Ingest {
  const { config, pool, publisher, metrics } = deps;
  const credentials = createCredentials({
    key: deps.deviceTokenKey,
    ttlMs: config.CREDENTIAL_TTL_MS,
    maxEntries: config.CREDENTIAL_CACHE_SIZE,
    find: (names) => lookUpDeviceAccess(pool, names),
  });
  const frames = createFramePublisher({
    ...{ publisher, shards: config.BUS_SHARDS, highWaterBytes: config.HTTP_INGEST_PENDING_BYTES },
  });
  metrics.gauge(
    'ingest_pending_bytes',
    'Messages that wait for JetStream. Rising: it is slow or away.',
    [],
    () => frames.pendingBytes,
  );
  const limits = {
    ...DEFAULT_TELEMETRY_LIMITS,
    maxMessageBytes: config.INGEST_MAX_MESSAGE_BYTES,
    maxMetrics: config.INGEST_MAX_METRICS,
    maxStringLength: config.INGEST_MAX_STRING_LENGTH,
    maxReadings: config.INGEST_MAX_READINGS,
    maxAheadMs: config.INGEST_MAX_AHEAD_MS,
  };
  const reporter = `api-${randomUUID()}`;
  const accounts = createTenantAccounts({
    plan: planOf(config),
    inflightBytes: (config.HTTP_INGEST_PENDING_BYTES * config.LIMIT_TENANT_INFLIGHT_PERCENT) / 100,
    ttlMs: config.CREDENTIAL_TTL_MS,
    find: (tenants) => findTenantLimits(pool, tenants),
    report: (sequence, usage) => addUsage(pool, reporter, sequence, usage),
  });
  const rates = createIngestLimits(accounts, config.CREDENTIAL_CACHE_SIZE);
  const intake = createIngestIntake({
    ...{ credentials, frames, limits, rates },
    maxPendingBytes: config.HTTP_INGEST_PENDING_BYTES,
    storeTimeoutMs: config.HTTP_INGEST_STORE_TIMEOUT_MS,
    provision: createProvisioningDoor(deps.provision),
    claimKeys: (uses, arrivedAt) => claimIngestKeys(pool, uses, arrivedAt),
  });
  const doors = createIngestDoors({
    ...{ intake, metrics, maxMessageBytes: limits.maxMessageBytes },
    maxBodyBytes: config.HTTP_INGEST_BODY_BYTES,
  });
  return { doors, credentials, accounts };
}
