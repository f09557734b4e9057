import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { AuditChange } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type Done, type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { isTenantSlug } from '#core/fleet/ids.ts';
import type { TenantStatus } from '#core/fleet/tenants.ts';
import { reasonSchema } from './reason.ts';
import { recordInBoth } from './record.ts';

export interface TenantChanged extends JsonObject {
  readonly tenantId: number;
}

interface OperatorInput {
  readonly reason: string;
  readonly clientMutationId?: string | null | undefined;
}

export interface TenantInput extends OperatorInput {
  readonly slug: string;
}

export interface NewTenantInput extends TenantInput {
  readonly name: string;
  readonly retentionDays?: number | null | undefined;
}

const createSchema = z.object({
  slug: z.string().refine(isTenantSlug, {
    error: 'must be 1 to 63 of a-z 0-9 - and begin with a letter or digit',
  }),
  name: text(200),
  retentionDays: z
    .number()
    .int()
    .min(1, 'must be at least 1')
    .max(3_660, 'must be at most 3 660 (ten years)')
    .nullish()
    .transform((days) => days ?? 400),
  reason: reasonSchema,
});
const changedSchema: z.ZodType<TenantChanged> = z.object({ tenantId: z.number() });

/** Makes a tenant, empty. A slug that any tenant ever had is refused. */
export function createTenant(
  operation: Operation,
  input: NewTenantInput,
): Promise<TenantChanged | UserError> {
  return operate(operation, 'tenantCreate', input, async (scope) => {
    const { slug, name, retentionDays } = parseInput(createSchema, input);
    const taken = await scope.prisma.$queryRaw<{ retired: boolean }[]>`
      select false as retired from tenants where slug = ${slug}
      union all select true from retired_tenants where slug = ${slug}`;
    const [made] =
      taken.length > 0
        ? []
        : await scope.prisma.$queryRaw<{ id: number }[]>`
            insert into tenants (slug, name, retention_days) values (${slug}, ${name}, ${retentionDays})
            on conflict (slug) do nothing returning id`;
    if (!made) {
      const message = taken[0]?.retired
        ? 'belonged to a tenant that was deleted; a slug is never given out twice'
        : 'belongs to another tenant';
      throw new ConflictFault(message, ['input', 'slug'], null);
    }
    const after = { slug, name, retentionDays };
    return done(made.id, slug, null, after);
  });
}

/** Lets nobody of a tenant in any more; its data stays. */
export function suspendTenant(operation: Operation, input: TenantInput): Promise<TenantChanged | UserError> {
  return operate(operation, 'tenantSuspend', input, (scope) =>
    change(operation, scope, input, { from: ['ACTIVE'], to: 'SUSPENDED' }),
  );
}

/** Lets a suspended tenant in again. */
export function resumeTenant(operation: Operation, input: TenantInput): Promise<TenantChanged | UserError> {
  return operate(operation, 'tenantResume', input, (scope) =>
    change(operation, scope, input, { from: ['SUSPENDED'], to: 'ACTIVE' }),
  );
}

/** Suspends a tenant and lets its data be deleted when the delay is over. */
export function deleteTenant(operation: Operation, input: TenantInput): Promise<TenantChanged | UserError> {
  const deleteAfter = new Date(Date.now() + operation.platform.tenantDeleteDays * DAY_MS);
  return operate(operation, 'tenantDelete', input, (scope) =>
    change(operation, scope, input, { from: ['ACTIVE', 'SUSPENDED'], to: 'DELETING', deleteAfter }),
  );
}

const DAY_MS = 86_400_000;

/** Calls a deletion off, as long as it has not begun: the tenant is again what it was before. */
export function cancelDeletion(operation: Operation, input: TenantInput): Promise<TenantChanged | UserError> {
  return operate(operation, 'tenantDeleteCancel', input, (scope) =>
    change(operation, scope, input, { from: ['DELETING'], to: 'BEFORE' }),
  );
}

interface Change {
  readonly from: readonly TenantStatus[];
  readonly to: TenantStatus | 'BEFORE';
  readonly deleteAfter?: Date;
}

interface LockedTenant {
  readonly id: number;
  readonly slug: string;
  readonly status: TenantStatus;
  readonly statusBefore: TenantStatus | null;
  readonly deleteAfter: Date | null;
  readonly purging: boolean;
}

async function change(
  { viewer }: Operation,
  scope: WriteScope,
  input: TenantInput,
  { from, to, deleteAfter = undefined }: Change,
): Promise<Done<TenantChanged>> {
  parseInput(z.object({ reason: reasonSchema }), { reason: input.reason });
  const tenant = await lockTenant(scope, input.slug);
  if (tenant.id === viewer.tenantId) {
    const message = 'is your own: nobody would be left to let you in again';
    throw new ValidationFault([{ path: ['input', 'slug'], message }]);
  }
  const path = ['input', 'slug'];
  if (!from.includes(tenant.status)) throw new ConflictFault(`the tenant is ${tenant.status}`, path, null);
  if (tenant.purging) throw new ConflictFault('its data is being deleted already', path, null);
  const status = to === 'BEFORE' ? (tenant.statusBefore ?? 'SUSPENDED') : to;
  const statusBefore = status === 'DELETING' ? tenant.status : null;
  await scope.prisma.$executeRaw`
    update tenants set status = ${status}::tenant_status, status_before = ${statusBefore}::tenant_status,
      delete_after = ${deleteAfter ?? null}::timestamptz, updated_at = now() where id = ${tenant.id}`;
  await scope.of({ tenantId: tenant.id, tenantSlug: tenant.slug }).publishControl('tenant', tenant.slug, 0);
  return done(
    tenant.id,
    tenant.slug,
    { status: tenant.status, deleteAfter: tenant.deleteAfter?.toISOString() ?? null },
    { status, deleteAfter: deleteAfter?.toISOString() ?? null },
  );
}

/** The tenant with this slug, which nobody else changes until the transaction ends. */
async function lockTenant(scope: WriteScope, slug: string): Promise<LockedTenant> {
  const [tenant] = await scope.prisma.$queryRaw<LockedTenant[]>`
    select id, slug, status, status_before as "statusBefore", delete_after as "deleteAfter",
      purge_started_at is not null as purging
    from tenants where slug = ${isTenantSlug(slug) ? slug : ''} for update`;
  if (!tenant) throw new NotFoundFault('there is no such tenant', ['input', 'slug']);
  return tenant;
}

function done(id: number, slug: string, before: JsonObject | null, after: JsonObject): Done<TenantChanged> {
  const target: AuditChange['target'] = { type: 'Tenant', id, label: slug };
  return { success: { tenantId: id }, audit: { target, before, after } };
}

/** Runs it on the operators' own connection and writes it into both logs. */
function operate(
  operation: Operation,
  name: string,
  input: TenantInput,
  run: (scope: WriteScope) => Promise<Done<TenantChanged>>,
): Promise<TenantChanged | UserError> {
  const { operator } = operation.platform;
  return runMutation(operation, {
    name,
    permission: 'platform.operate',
    input,
    run,
    read: (remembered) => changedSchema.parse(remembered),
    ...(operator && {
      through: {
        writes: operator.writes,
        record: (scope, caller, action, audit) =>
          recordInBoth(scope, caller, action, audit, input.reason.trim()),
      },
    }),
  });
}
