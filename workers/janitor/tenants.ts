import { takeLeases } from '#core/db/leases.ts';
import { type Pool, transaction } from '#core/db/pool.ts';
import {
  beginPurge,
  type DueTenant,
  finishPurge,
  listDueTenants,
  listTenantTables,
  purgeRows,
} from '#core/db/tenant-purge.ts';
import { tenantFolder } from '#core/objects/keys.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { JanitorMetrics } from './metrics.ts';

export interface TenantPurgeDeps {
  readonly pool: Pool;
  /** Removes every stored file below a folder. */
  readonly removeFolder: (folder: string) => Promise<void>;
  /** Names this process. */
  readonly holder: string;
  /** Rows deleted in one transaction. */
  readonly batchRows: number;
  readonly log: Logger;
  readonly metrics: JanitorMetrics;
}

const LEASE = 'janitor/tenants';
/** Renewed before each batch. */
const LEASE_MS = 120_000;

/**
 * Deletes everything of the tenants whose delay is over: files, then rows, table by table in bounded transactions, then
 * the tenant. Whatever interrupts it, the next call goes on where it was. One process at a time does it.
 */
export async function purgeTenants(deps: TenantPurgeDeps, signal: AbortSignal): Promise<void> {
  for (const tenant of await listDueTenants(deps.pool)) {
    if (signal.aborted || !(await leads(deps))) return;
    try {
      await purge(deps, tenant, signal);
    } catch (error) {
      deps.log.error(
        { err: error, tenant: tenant.slug },
        'a tenant is not deleted yet; going on at the next turn',
      );
    }
  }
}

async function leads({ pool, holder }: TenantPurgeDeps): Promise<boolean> {
  return (await takeLeases(pool, holder, [LEASE], LEASE_MS)).length > 0;
}

async function purge(deps: TenantPurgeDeps, tenant: DueTenant, signal: AbortSignal): Promise<void> {
  const { pool, log, metrics, batchRows } = deps;
  if (!(await beginPurge(pool, tenant.id))) return;
  await deps.removeFolder(tenantFolder(tenant.slug));
  const deleted: Record<string, number> = {};
  for (const table of await listTenantTables(pool)) {
    for (;;) {
      if (signal.aborted || !(await leads(deps))) return;
      const gone = await purgeRows(pool, tenant.id, table, batchRows);
      if (gone > 0) deleted[table] = (deleted[table] ?? 0) + gone;
      metrics.purged.inc(gone);
      if (gone < batchRows) break;
    }
  }
  await transaction(pool, (connection) => finishPurge(connection, tenant, deps.holder, deleted));
  log.info({ tenant: tenant.slug, deleted }, 'tenant deleted');
}
