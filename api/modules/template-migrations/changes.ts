import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { type MigrationOutcome, migrateDevices } from '#core/db/template-migrations.ts';
import type { DeviceTarget } from '#core/fleet/device-filter.ts';
import { announceAll, readTarget, type TargetInput, targetCondition } from '../devices/service.ts';
import { type HeldTemplate, holdTemplate } from '../templates/service.ts';
import { readOutdated } from './store.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

/** Devices that move at once, in one transaction. */
const MAX_DEVICES = 1_000;

const inputSchema = z.object({
  templateKey: text(63),
  toVersion: z.number().int().min(1, 'must be at least 1').nullish(),
});

const IDS_PATH = ['input', 'target', 'ids'];

const migratedSchema = z.object({
  templateId: z.number(),
  toVersion: z.number(),
  deviceIds: z.array(z.number()),
  unchanged: z.number(),
  errors: z.array(z.object({ deviceId: z.number(), code: z.string(), message: z.string() })),
});
export type TemplateMigrated = z.output<typeof migratedSchema>;

/** Moves devices to another version of their template. Those that cannot move are named, and the others move. */
export function migrateTemplate(
  operation: Operation,
  input: WithMutationId & { readonly target?: TargetInput | null | undefined },
): Promise<TemplateMigrated | UserError> {
  return runMutation(operation, {
    name: 'templateMigrate',
    permission: 'devices.write',
    input,
    read: (remembered) => migratedSchema.parse(remembered),
    async run(scope) {
      const { templateKey, toVersion } = parseInput(inputSchema, input);
      const path = ['input', toVersion == null ? 'templateKey' : 'toVersion'];
      const template = await holdTemplate(scope, templateKey, path, toVersion ?? undefined);
      const target = input.target ? readTarget(input.target) : { where: {} };
      const deviceIds = 'ids' in target ? target.ids : await outdatedOf(scope, template, target);
      const { tenantId } = scope;
      const { id: templateId, version, definition } = template;
      const order = { tenantId, templateId, toVersion: version, definition, deviceIds };
      const outcome = await migrateDevices(scope, order);
      if (outcome.missing.length > 0) throw new NotFoundFault('there is no such device', IDS_PATH);
      await announceAll(scope, outcome.moved, 'UPDATED');
      return {
        success: {
          ...{ templateId, toVersion: version, unchanged: outcome.unchanged },
          deviceIds: outcome.moved.map(({ id }) => id),
          errors: outcome.staying.flatMap(({ id: deviceId, faults }) =>
            faults.map(({ code, message }) => ({ deviceId, code, message })),
          ),
        },
        audit: {
          target: { type: 'DeviceTemplate', id: templateId, label: templateKey },
          ...changeOf(outcome, version),
        },
      };
    },
  });
}

/** @throws ConflictFault where there are more than move at once */
async function outdatedOf(
  scope: WriteScope,
  template: HeldTemplate,
  target: DeviceTarget,
): Promise<number[]> {
  const condition = await targetCondition(scope, scope.tenantId, target);
  const ids = await readOutdated(scope, template, condition, MAX_DEVICES + 1);
  if (ids.length <= MAX_DEVICES) return ids;
  const message = `more than ${MAX_DEVICES} devices have another version: move fewer of them at a time`;
  throw new ConflictFault(message, ['input', 'target'], null);
}

const changeOf = ({ moved, staying }: MigrationOutcome, version: number) => ({
  before: { versions: Object.fromEntries(moved.map(({ key, fromVersion }) => [key, fromVersion])) },
  after: {
    versions: Object.fromEntries(moved.map(({ key }) => [key, version])),
    refused: staying.map(({ key }) => key),
  },
});
