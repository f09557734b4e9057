import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { encodeGlobalId, readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { sql } from '#core/db/sql.ts';
import { TEMPLATE_LIMITS, TRANSPORT_LINKS, TRANSPORT_PROTOCOLS } from '#core/fleet/templates.ts';
import { lockForChange, settingsRules, touchDevice } from '../devices/service.ts';
import { TRANSPORT_COLUMNS, type TransportRow } from './store.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithVersion = WithMutationId & { readonly expectedVersion?: number | null | undefined };
type WithId = WithVersion & { readonly id: string };

const createSchema = z.object({
  protocol: z.enum(TRANSPORT_PROTOCOLS),
  link: z.enum(TRANSPORT_LINKS).nullish(),
  settings: settingsRules.nullish(),
  isPrimary: z.boolean().nullish(),
});

/** Absent means unchanged; null clears what may be empty. */
const updateSchema = z.object({
  protocol: z.enum(TRANSPORT_PROTOCOLS).optional(),
  link: z.enum(TRANSPORT_LINKS).nullish(),
  settings: settingsRules.optional(),
  isPrimary: z.literal(true, 'make another one the primary instead').optional(),
});

const changedSchema = z.object({ transportId: z.number(), deviceId: z.number() });
const deletedSchema = z.object({ id: z.string(), deviceId: z.number() });
export type TransportChanged = z.output<typeof changedSchema>;
export type TransportDeleted = z.output<typeof deletedSchema>;

/** Enters a way by which messages of a device come. The first one is the primary one. */
export function createTransport(
  operation: Operation,
  input: WithVersion & { readonly deviceId: string },
): Promise<TransportChanged | UserError> {
  return runMutation(operation, {
    name: 'transportCreate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { protocol, link = null, settings, isPrimary } = parseInput(createSchema, input);
      const device = await lockForChange(scope, input.deviceId, input.expectedVersion, 'deviceId');
      const others = await readTransports(scope, device.id);
      if (others.length >= TEMPLATE_LIMITS.transports) {
        const message = `a device has at most ${TEMPLATE_LIMITS.transports} transports`;
        throw new ConflictFault(message, ['input'], device.version);
      }
      const primary = isPrimary === true || others.length === 0;
      if (primary) await clearPrimary(scope, device.id);
      const [transport] = await scope.rows<TransportRow>(sql`
        insert into device_transports (tenant_id, device_id, protocol, link, settings, is_primary)
        values (${scope.tenantId}::int, ${device.id}::int, ${protocol}, ${link}::text,
          ${JSON.stringify(settings ?? {})}::jsonb, ${primary})
        returning ${TRANSPORT_COLUMNS}`);
      if (!transport) throw new Error('the transport was not inserted');
      await touchDevice(scope, device.id);
      return {
        success: { transportId: transport.id, deviceId: device.id },
        audit: { target: targetOf(device, transport), before: null, after: stateOf(transport) },
      };
    },
  });
}

/** Changes what the input names. One that becomes the primary one takes that from the one before. */
export function updateTransport(operation: Operation, input: WithId): Promise<TransportChanged | UserError> {
  return runMutation(operation, {
    name: 'transportUpdate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const change = parseInput(updateSchema, input);
      const { device, transport } = await lockTransport(scope, input);
      const { protocol = transport.protocol, link = transport.link, settings = transport.settings } = change;
      if (change.isPrimary) await clearPrimary(scope, device.id);
      const [changed] = await scope.rows<TransportRow>(sql`
        update device_transports set protocol = ${protocol}, link = ${link}::text, settings = ${JSON.stringify(settings)}::jsonb,
          is_primary = ${change.isPrimary ?? transport.isPrimary}, updated_at = now()
        where id = ${transport.id}::int returning ${TRANSPORT_COLUMNS}`);
      if (!changed) throw new Error('the transport was not updated');
      await touchDevice(scope, device.id);
      return {
        success: { transportId: transport.id, deviceId: device.id },
        audit: {
          target: targetOf(device, transport),
          ...changesBetween(stateOf(transport), stateOf(changed)),
        },
      };
    },
  });
}

/** Takes a way away. Of those that are left, the oldest is the primary one where this was. */
export function deleteTransport(operation: Operation, input: WithId): Promise<TransportDeleted | UserError> {
  return runMutation(operation, {
    name: 'transportDelete',
    permission: 'devices.write',
    input,
    read: (remembered) => deletedSchema.parse(remembered),
    async run(scope) {
      const { device, transport } = await lockTransport(scope, input);
      await scope.rows(sql`delete from device_transports where id = ${transport.id}::int`);
      if (transport.isPrimary)
        await scope.rows(sql`
          update device_transports set is_primary = true, updated_at = now()
          where id = (select min(id) from device_transports where device_id = ${device.id}::int)`);
      await touchDevice(scope, device.id);
      return {
        success: { id: input.id, deviceId: device.id },
        audit: { target: targetOf(device, transport), before: stateOf(transport), after: null },
      };
    },
  });
}

const readTransports = (scope: WriteScope, deviceId: number): Promise<TransportRow[]> =>
  scope.rows<TransportRow>(
    sql`select ${TRANSPORT_COLUMNS} from device_transports where device_id = ${deviceId}::int`,
  );

async function clearPrimary(scope: WriteScope, deviceId: number): Promise<void> {
  await scope.rows(sql`
    update device_transports set is_primary = false, updated_at = now() where device_id = ${deviceId}::int and is_primary`);
}

interface Locked {
  readonly device: Device;
  readonly transport: TransportRow;
}

/** The transport, and its device, which nobody else changes until the transaction ends. */
async function lockTransport(scope: WriteScope, input: WithId): Promise<Locked> {
  const id = readRowId(input.id, 'DeviceTransport') ?? 0;
  const find = () =>
    scope.rows<TransportRow>(sql`select ${TRANSPORT_COLUMNS} from device_transports where id = ${id}::int`);
  const [found] = await find();
  if (!found) throw noSuchTransport();
  const deviceId = encodeGlobalId('Device', found.deviceId);
  const device = await lockForChange(scope, deviceId, input.expectedVersion);
  const [transport] = await find();
  if (!transport) throw noSuchTransport();
  return { device, transport };
}

const noSuchTransport = () => new NotFoundFault('there is no such transport', ['input', 'id']);

const targetOf = (device: Device, transport: TransportRow) => ({
  ...{ type: 'DeviceTransport', id: transport.id },
  label: `${device.key}/${transport.protocol}`,
});

function stateOf({ protocol, link, settings, isPrimary }: TransportRow): JsonObject {
  return { protocol, link, settings: z.json().parse(settings), isPrimary };
}
