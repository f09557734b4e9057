import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { documentProblem, type JsonObject } from '#core/fleet/json-documents.ts';
import { MAX_DESIRED_BYTES, mergePatch } from '#core/fleet/shadow.ts';
import { isObject } from '#core/fleet/telemetry.ts';
import { tellDesired } from './announce.ts';

const changedSchema = z.object({ deviceId: z.number(), version: z.number() });
export type ShadowChanged = z.output<typeof changedSchema>;

export interface ShadowUpdate {
  readonly deviceId: string;
  readonly desired?: unknown;
  readonly patch?: unknown;
  readonly expectedVersion: number;
  readonly clientMutationId?: string | null | undefined;
}

/** Says what a device should be: a new version for the database, the device and whoever follows. */
export function updateShadow(operation: Operation, input: ShadowUpdate): Promise<ShadowChanged | UserError> {
  return runMutation(operation, {
    name: 'shadowUpdate',
    permission: 'shadow.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { field, document } = readChange(input);
      const { device, before } = await lockShadow(scope, input.deviceId);
      if (device.status === 'DECOMMISSIONED')
        throw new ConflictFault('the device is decommissioned', ['input', 'deviceId'], before.version);
      if (before.version !== input.expectedVersion) {
        const path = ['input', 'expectedVersion'];
        throw new ConflictFault('somebody else has changed what is desired', path, before.version);
      }
      const desired = field === 'patch' ? mergePatch(before.desired, document) : document;
      assertDesired(field, desired);
      const version = before.version + 1;
      const at = new Date();
      const text = JSON.stringify(desired);
      const actor = operation.viewer.credentialId;
      await scope.prisma.$executeRaw`
        update device_shadows set desired = ${text}::jsonb, desired_version = ${version}, desired_at = ${at}
        where device_id = ${device.id}`;
      await scope.prisma.$executeRaw`
        insert into shadow_history (tenant_id, device_id, side, version, document, actor, at)
        values (${scope.tenantId}, ${device.id}, 'DESIRED', ${version}, ${text}::jsonb, ${actor}, ${at})`;
      await tellDesired(scope, device.key, { desired, version, at: at.getTime() });
      const { id: deviceId, key, siteId } = device;
      await scope.publishEvent({
        kind: 'shadow',
        events: [
          {
            ...{ deviceId, device: key, siteId, at: at.getTime() },
            ...{ side: 'DESIRED', version, answers: 0, actor },
          },
        ],
      });
      return {
        success: { deviceId, version },
        audit: {
          target: { type: 'Device', id: deviceId, label: key },
          before: { version: before.version, desired: before.desired },
          after: { version, desired },
        },
      };
    },
  });
}

interface LockedShadow {
  readonly device: {
    readonly id: number;
    readonly key: string;
    readonly siteId: number | null;
    readonly status: string;
  };
  readonly before: { readonly desired: JsonObject; readonly version: number };
}

/**
 * The shadow first and its device second, as ingest does, so that nobody waits in a circle. The device keeps its status until
 * the transaction ends.
 * @throws NotFoundFault
 */
async function lockShadow(scope: WriteScope, globalId: string): Promise<LockedShadow> {
  const missing = () => new NotFoundFault('there is no such device', ['input', 'deviceId']);
  const id = readRowId(globalId, 'Device');
  if (id === undefined) throw missing();
  await scope.prisma.$executeRaw`insert into device_shadows (device_id, tenant_id)
    select id, tenant_id from devices where id = ${id} on conflict do nothing`;
  const [before] = await scope.prisma.$queryRaw<LockedShadow['before'][]>`
    select desired, desired_version as version from device_shadows where device_id = ${id} for no key update`;
  const [device] = await scope.prisma.$queryRaw<LockedShadow['device'][]>`
    select id, key, site_id as "siteId", status::text as status from devices where id = ${id} for share`;
  if (!before || !device) throw missing();
  return { device, before };
}

function readChange({ desired, patch }: ShadowUpdate): {
  readonly field: 'desired' | 'patch';
  readonly document: JsonObject;
} {
  const field = desired != null ? 'desired' : 'patch';
  if ((desired != null) === (patch != null)) {
    const message = 'give either desired or patch';
    throw new ValidationFault([{ path: ['input', field], message }]);
  }
  const value = desired ?? patch;
  if (!isObject(value)) throw refuse(field, 'must be an object');
  const problem = documentProblem(value);
  if (problem) throw refuse(field, `${problem.at === '' ? 'it' : `at ${problem.at}`}: ${problem.detail}`);
  return { field, document: value as JsonObject };
}

function assertDesired(field: string, desired: JsonObject): void {
  if (Buffer.byteLength(JSON.stringify(desired)) > MAX_DESIRED_BYTES)
    throw refuse(field, 'what is desired has at most 32 768 bytes as JSON');
  if (documentProblem(desired)) throw refuse(field, 'what is desired has at most 16 levels');
}

const refuse = (field: string, message: string): ValidationFault =>
  new ValidationFault([{ path: ['input', field], message }]);
