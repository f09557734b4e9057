import { defineConfig } from 'prisma/config';

/** Tables that only bulk SQL touches: Prisma neither models them nor takes them for drift. */
const SQL_ONLY = [
  'api_key_networks',
  'audit_entries',
  'certificate_authorities',
  'certificate_warnings',
  'claim_codes',
  'dead_letters',
  'device_sequences',
  'device_sessions',
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
  'sign_ins',
  'tenant_usage',
  'usage_sources',
];
/** Enums of those tables. */
const SQL_ONLY_ENUMS = ['quarantine_status', 'replay_outcome'];

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
