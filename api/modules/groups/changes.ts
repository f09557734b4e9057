import { z } from 'zod';
import { sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import { changesBetween, execute } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { type DeviceFilter, deviceFilterSchema } from '#core/fleet/device-filter.ts';
import { GROUP_COLUMNS, type GroupRow, targetOf } from './store.ts';

/** Groups of a tenant; a device's own are found by asking all that are dynamic. */
const MAX_GROUPS = 500;
const MAX_DYNAMIC_GROUPS = 100;

const createSchema = z.object({
  key: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 - and not begin with -'),
  name: text(200).nullish(),
  description: z.string().max(2_000, 'must have at most 2 000 characters').nullish(),
  filter: deviceFilterSchema.nullish(),
});
const updateSchema = z.object({
  name: text(200).nullish(),
  description: z.string().max(2_000, 'must have at most 2 000 characters').nullish(),
  filter: deviceFilterSchema.nullish(),
});

const changedSchema = z.object({ groupId: z.number() });
const deletedSchema = z.object({ key: z.string() });
export type GroupChanged = z.output<typeof changedSchema>;
export type GroupDeleted = z.output<typeof deletedSchema>;

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithVersion = WithMutationId & {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
};

/** Makes a group: a dynamic one where there is a filter, else a static one without devices. */
export function createGroup(operation: Operation, input: WithMutationId): Promise<GroupChanged | UserError> {
  return runMutation(operation, {
    name: 'groupCreate',
    permission: 'groups.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { key, name, description, filter } = parseInput(createSchema, input);
      if (filter) assertNoGroups(filter);
      await assertRoom(scope, filter != null);
      const [group] = await scope.rows<GroupRow>(
        sql`insert into device_groups as g (tenant_id, key, name, description, kind, filter)
            values (${scope.tenantId}, ${key}, ${name ?? key}, ${description ?? ''},
              ${filter ? 'DYNAMIC' : 'STATIC'}::group_kind, ${filter ? toText(filter) : null}::jsonb)
            on conflict (tenant_id, key) do nothing returning ${GROUP_COLUMNS}`,
      );
      if (!group)
        throw new ConflictFault(`there is a group with the key ${key} already`, ['input', 'key'], null);
      return {
        success: { groupId: group.id },
        audit: { target: targetOf(group), before: null, after: stateOf(group) },
      };
    },
  });
}

/** Changes what the input names; a group stays of its kind. */
export function updateGroup(operation: Operation, input: WithVersion): Promise<GroupChanged | UserError> {
  return runMutation(operation, {
    name: 'groupUpdate',
    permission: 'groups.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { name, description, filter } = parseInput(updateSchema, input);
      const current = await lockGroup(scope, input.id);
      assertVersion(current, input.expectedVersion);
      if (filter) {
        if (current.kind === 'STATIC') throw fault(['filter'], 'a static group has no filter');
        assertNoGroups(filter);
      }
      const [group] = await scope.rows<GroupRow>(
        sql`update device_groups g set name = coalesce(${name ?? null}, name),
              description = coalesce(${description ?? null}, description),
              filter = coalesce(${filter ? toText(filter) : null}::jsonb, filter), version = version + 1, updated_at = now()
            where g.id = ${current.id} returning ${GROUP_COLUMNS}`,
      );
      if (!group) throw new Error(`group ${current.id} went away while it was locked`);
      return {
        success: { groupId: group.id },
        audit: { target: targetOf(group), ...changesBetween(stateOf(current), stateOf(group)) },
      };
    },
  });
}

/** Forgets a group; its devices stay. */
export function deleteGroup(operation: Operation, input: WithVersion): Promise<GroupDeleted | UserError> {
  return runMutation(operation, {
    name: 'groupDelete',
    permission: 'groups.write',
    input,
    read: (remembered) => deletedSchema.parse(remembered),
    async run(scope) {
      const group = await lockGroup(scope, input.id);
      assertVersion(group, input.expectedVersion);
      await execute(scope, sql`delete from device_groups where id = ${group.id}`);
      return {
        success: { key: group.key },
        audit: { target: targetOf(group), before: stateOf(group), after: null },
      };
    },
  });
}

/** The group with this id, which nobody else changes until the transaction ends. @throws NotFoundFault */
async function lockGroup(scope: WriteScope, globalId: string): Promise<GroupRow> {
  const id = readRowId(globalId, 'DeviceGroup') ?? 0;
  const [group] = await scope.rows<GroupRow>(
    sql`select ${GROUP_COLUMNS} from device_groups g where g.id = ${id} for update`,
  );
  if (!group) throw new NotFoundFault('there is no such group', ['input', 'id']);
  return group;
}

function assertVersion(group: GroupRow, expected: number | null | undefined): void {
  if (expected == null || expected === group.version) return;
  throw new ConflictFault('somebody else has changed the group', ['input', 'expectedVersion'], group.version);
}

/** Groups never go round in a circle: a filter asks for devices, not for other groups. */
function assertNoGroups(filter: DeviceFilter): void {
  if (filter.groupKeys) throw fault(['filter', 'groupKeys'], 'the filter of a group names no groups');
}

const fault = (path: readonly string[], message: string): ValidationFault =>
  new ValidationFault([{ path: ['input', ...path], message }]);

/** Of several who make groups at once, each waits for the one before. */
async function assertRoom(scope: WriteScope, dynamic: boolean): Promise<void> {
  await execute(scope, sql`select pg_advisory_xact_lock(hashtext('device_groups'), ${scope.tenantId}::int)`);
  const [held] = await scope.rows<{ groups: number; dynamic: number }>(
    sql`select count(*)::int as groups, count(*) filter (where kind = 'DYNAMIC')::int as dynamic from device_groups`,
  );
  if ((held?.groups ?? 0) >= MAX_GROUPS)
    throw new ConflictFault(`a tenant has at most ${MAX_GROUPS} groups`, ['input'], null);
  if (dynamic && (held?.dynamic ?? 0) >= MAX_DYNAMIC_GROUPS)
    throw new ConflictFault(
      `a tenant has at most ${MAX_DYNAMIC_GROUPS} dynamic groups`,
      ['input', 'filter'],
      null,
    );
}

const toText = (filter: DeviceFilter): string =>
  JSON.stringify(filter, (_name, value: unknown) => (value === null ? undefined : value));

function stateOf({ key, name, description, kind, filter }: GroupRow): JsonObject {
  return { key, name, description, kind, filter: z.json().parse(filter) };
}
