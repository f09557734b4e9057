import type { Pool } from 'pg';
import type { TenantSeed } from './seed.ts';

/**
 * At least one row of the tenant in every table that holds rows of tenants: what a proof about all tables needs. A table that is
 * missing here fails the test of row-level security. The partitions of today must be there.
 * @param admin must be allowed to write everything
 * @param outboxShard of the row in the outbox; one that no relay has keeps it there
 */
export async function seedEveryTable(admin: Pool, tenant: TenantSeed, outboxShard = 0): Promise<void> {
  await tenant.site('site');
  const device = await tenant.device('device', { site: 'site' });
  const insert = (text: string, ...values: unknown[]) => admin.query(text, [tenant.id, ...values]);
  await insert(
    "insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, 'x', 'n', 'ADMIN')",
    tenant.slug,
  );
  await insert(
    "insert into api_key_networks (tenant_id, api_key_id, network) select $1, max(id), '10.0.0.0/24' from api_keys",
  );
  await insert(
    `insert into members (tenant_id, issuer, subject, name, role, origin, role_source)
     values ($1, 'i', 's', 'n', 'ADMIN', 'PROVIDER', 'PROVIDER')`,
  );
  await insert(
    `insert into invitations (tenant_id, email, role, secret_hash, invited_by, expires_at)
     values ($1, 'a@b', 'ADMIN', $2, 'n', now())`,
    Buffer.from(tenant.slug),
  );
  await insert("insert into sign_ins (tenant_id, session, good_until) values ($1, 'x', now())");
  await insert(
    "insert into certificate_authorities (tenant_id, generation, certificate, private_key, not_after) values ($1, 1, 'x', 'x', now())",
  );
  await insert(
    "insert into claim_codes (tenant_id, code_hash, hint, expires_at) values ($1, sha256($2::bytea), 'hint', now())",
    tenant.slug,
  );
  await insert(
    "insert into provisioning_tokens (tenant_id, name, token_hash, hint, key_prefix, max_devices_per_hour, expires_at) values ($1, 'n', sha256($2::bytea), 'h', '', 1, now())",
    tenant.slug,
  );
  await insert(
    'insert into provisioned_devices (tenant_id, device_id, token_id) select $1, $2, max(id) from provisioning_tokens where tenant_id = $1',
    device.id,
  );
  await insert(
    "insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint, serial, not_before, expires_at, authority_generation) values ($1, $2, 'CERTIFICATE', sha256($3::bytea), 'h', '1', now(), now(), 1)",
    device.id,
    tenant.slug,
  );
  await insert(
    'insert into certificate_warnings (tenant_id, credential_id, days) select $1, max(id), 30 from device_credentials where tenant_id = $1',
  );
  await insert(
    "insert into device_sessions (tenant_id, device_id, gateway_id, epoch, client_id, connected_at) values ($1, $2, 'g', 1, 'c', now())",
    device.id,
  );
  await insert(
    "insert into mqtt_sessions (tenant_id, device_id, client_id, epoch, keep_seconds, state) values ($1, $2, 'c', 1, 1, '{}')",
    device.id,
  );
  await insert('insert into device_presence (tenant_id, device_id) values ($1, $2)', device.id);
  await insert(
    "insert into device_latest (tenant_id, device_id, newest_ts, metrics) values ($1, $2, now(), '{}')",
    device.id,
  );
  await insert(
    `insert into presence_changes (tenant_id, device_id, at, connection, freshness, credential, connection_before, freshness_before, credential_before)
     values ($1, $2, now(), 'ONLINE', 'FRESH', 'ACTIVE', 'UNKNOWN', 'SILENT', 'NONE')`,
    device.id,
  );
  await insert('insert into device_sequences (tenant_id, device_id, boot) values ($1, $2, 0)', device.id);
  await insert(
    'insert into sequence_gaps (tenant_id, device_id, boot, from_seq, to_seq, missing, first_seen_at, opened_at) values ($1, $2, 0, 1, 1, 1, now(), now())',
    device.id,
  );
  await insert(
    "insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics) values ($1, $2, now(), 1, now(), '{}')",
    device.id,
  );
  await insert(
    `insert into quarantine (tenant_id, device_id, device_key, reason, detail, kind, payload, payload_bytes, received_at, batch_id, item_index, part)
     values ($1, $2, 'd', 'r', 'd', 'k', 'x', 1, now(), gen_random_uuid(), 0, 0)`,
    device.id,
  );
  await insert(
    "insert into dead_letters (tenant_id, stream, stream_sequence, item_index, payload, reason) values ($1, 's', 1, $2, 'x', 'r')",
    tenant.id,
  );
  await insert(
    `insert into audit_entries (tenant_id, actor_kind, actor_id, actor_name, action, target_type, target_id, target_label, request_id)
     values ($1, 'USER', 'user:x', 'x', 'a', 'Device', '1', 'd', 'r')`,
  );
  await insert('insert into ingest_days (tenant_id, day) values ($1, now())');
  await insert(
    "insert into quarantine_jobs (tenant_id, action, target, last_id, total, requested_by) values ($1, 'DISCARD', '{}', 1, 1, 'x')",
  );
  await insert(
    'insert into tenant_usage (tenant_id, minute, messages, bytes, throttled, refused) values ($1, now(), 1, 1, 0, 0)',
  );
  await insert(
    "insert into outbox (tenant_id, shard, subject, payload) values ($1, $2, 's', 'x')",
    outboxShard,
  );
  await insert(
    "insert into mutation_results (tenant_id, credential, client_mutation_id, fingerprint, result) values ($1, 'c', 'i', 'x', '{}')",
  );
  await insert(
    "insert into device_templates (tenant_id, key, name, category) values ($1, 'template', 'n', 'SENSOR')",
  );
  await insert(
    "insert into template_versions (tenant_id, template_id, version, definition, created_by) select $1, max(id), 1, '{}', 'x' from device_templates where tenant_id = $1",
  );
  await insert(
    "insert into device_modules (tenant_id, device_id, slot, name, template_id, template_version) select $1, $2, 's', 'n', max(id), 1 from device_templates where tenant_id = $1",
    device.id,
  );
  await insert(
    "insert into device_sensors (tenant_id, device_id, metric, name, type, source) values ($1, $2, 'm', 'n', 'FLOAT', 'MANUAL')",
    device.id,
  );
  await insert(
    "insert into device_transports (tenant_id, device_id, protocol) values ($1, $2, 'MQTT')",
    device.id,
  );
  await insert("insert into device_groups (tenant_id, key, name, kind) values ($1, 'group', 'n', 'STATIC')");
  await insert(
    'insert into device_group_members (tenant_id, group_id, device_id) select $1, max(id), $2 from device_groups where tenant_id = $1',
    device.id,
  );
  await insert('insert into device_shadows (tenant_id, device_id) values ($1, $2)', device.id);
  await insert(
    "insert into shadow_history (tenant_id, device_id, side, version, document, at) values ($1, $2, 'DESIRED', 1, '{}', now())",
    device.id,
  );
  await insert("insert into fleet_jobs (tenant_id, kind, input, actor) values ($1, 'k', '{}', 'x')");
  await insert(
    'insert into fleet_job_devices (tenant_id, job_id, device_id) select $1, max(id), $2 from fleet_jobs where tenant_id = $1',
    device.id,
  );
  await insert(
    "insert into device_commands (tenant_id, device_id, type, params, actor, expires_at) values ($1, $2, 't', '{}', 'x', now() + interval '1 day')",
    device.id,
  );
  await insert(
    "insert into command_transitions (tenant_id, command_id, event, status, at) select $1, max(id), 'queued', 'QUEUED', now() from device_commands where tenant_id = $1",
  );
}
