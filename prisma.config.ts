import { defineConfig } from 'prisma/config';

/** Tables that only bulk SQL touches: Prisma neither models them nor takes them for drift. */
const SQL_ONLY = [
  'api_key_networks',
  'audit_entries',
  'certificate_authorities',
  'certificate_warnings',
  'claim_codes',
  'command_transitions',
  'dead_letters',
  'device_commands',
  'device_group_members',
  'device_groups',
  'device_modules',
  'device_sensors',
  'device_sequences',
  'device_sessions',
  'device_shadows',
  'device_transports',
  'fleet_job_devices',
  'fleet_jobs',
  'follower_cursors',
  'gateways',
  'ingest_days',
  'ingest_folds',
  'ingest_frames',
  'ingest_keys',
  'ingest_repeats',
  'invitations',
  'leases',
  'members',
  'mqtt_sessions',
  'mutation_results',
  'outbox',
  'platform_audit_entries',
  'platform_authorities',
  'platform_keys',
  'presence_changes',
  'provisioned_devices',
  'provisioning_tokens',
  'quarantine',
  'quarantine_jobs',
  'readings',
  'retired_tenants',
  'sequence_gaps',
  'sequence_notes',
  'shadow_history',
  'sign_ins',
  'tenant_usage',
  'usage_sources',
];
/** Enums of those tables. */
const SQL_ONLY_ENUMS = [
  'command_event',
  'command_status',
  'group_kind',
  'job_status',
  'quarantine_status',
  'replay_outcome',
  'sensor_source',
  'shadow_side',
];

/**
 * For the development commands `prisma generate` and `prisma migrate diff`; core/db/migrate.ts applies migrations.
 * Every command wants PRISMA_SCHEMA_ENGINE_BINARY=prisma/tools/schema-engine.mjs, since npm carries no native engine.
 */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  experimental: { externalTables: true },
  tables: { external: SQL_ONLY.map((name) => `public.${name}`) },
  enums: { external: SQL_ONLY_ENUMS.map((name) => `public.${name}`) },
  datasource: { url: process.env['DATABASE_URL'] ?? 'postgresql://127.0.0.1:5432/fleetgraph' },
});
