import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import {
  ConflictFault,
  type Fault,
  NotFoundFault,
  QuotaFault,
  type Refusal,
  type UserError,
  ValidationFault,
} from '#api/graphql/errors.ts';
import { readGlobalId, readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { type Json, runMutation } from '#api/graphql/mutations.ts';
import { commandEvents, commandMessages } from '#core/bus/commands.ts';
import { applyHappenings } from '#core/db/command-happenings.ts';
import { commandHandler, forecastCommands, type TellOfCommands } from '#core/db/command-jobs.ts';
import { type RefusedDevice, sendCommands } from '#core/db/command-sends.ts';
import type { CommandChange } from '#core/db/commands.ts';
import { findCommandProblems, refuseCommand } from '#core/fleet/command-checks.ts';
import { COMMAND_LIMITS, type CommandStatus, isFinished } from '#core/fleet/commands.ts';
import { type ManyChanged, type ManyInput, runOnMany } from '../jobs/service.ts';

/** What every command says, to however many devices. */
export const commandSchema = z
  .object({
    type: z.string(),
    params: z
      .unknown()
      .optional()
      .transform((params) => params ?? {}),
    expiresInSeconds: z
      .number()
      .int()
      .min(1, 'must be at least 1')
      .max(COMMAND_LIMITS.maxExpirySeconds, 'must be at most 604 800 (7 days)')
      .nullish()
      .transform((seconds) => seconds ?? COMMAND_LIMITS.defaultExpirySeconds),
  })
  .superRefine(({ type, params }, context) => {
    for (const { path, message } of findCommandProblems(type, params))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

const sentSchema = z.object({ commandId: z.string() });
const cancelledSchema = z.object({ commandId: z.string(), mayBeCarriedOut: z.boolean() });
export type CommandSent = z.output<typeof sentSchema>;
export type CommandCancelled = z.output<typeof cancelledSchema>;

const tellOfCommands: TellOfCommands = ({ shard }, sent, what) => commandMessages(sent, what, () => shard);

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

/** Sends a command to one device. */
export function sendCommand(
  operation: Operation,
  input: WithMutationId & { readonly deviceId: string },
): Promise<CommandSent | Refusal<'QuotaError'>> {
  return runMutation(operation, {
    name: 'commandSend',
    permission: 'commands.send',
    input,
    refusals: ['QuotaError'],
    read: (remembered) => sentSchema.parse(remembered),
    async run(scope) {
      const { type, params, expiresInSeconds } = parseInput(commandSchema, input);
      const deviceId = readRowId(input.deviceId, 'Device');
      const expiresAt = new Date(Date.now() + expiresInSeconds * 1_000);
      const { sent, refused } = await sendCommands(
        scope,
        deviceId === undefined ? [] : [deviceId],
        {
          ...{ tenantId: scope.tenantId, type, params, expiresAt, jobId: null },
          actor: operation.viewer.credentialId,
        },
        (target) => refuseCommand(target, type, params, operation.platform.schemaChecks),
      );
      for (const refusal of refused) throw toFault(refusal);
      const [command] = sent;
      if (!command) throw new NotFoundFault('there is no such device', ['input', 'deviceId']);
      await scope.publish(
        commandMessages(sent, { type, params, expiresAt: expiresAt.getTime() }, () => scope.shard),
      );
      return {
        success: { commandId: command.id },
        audit: {
          target: targetOf(command),
          before: null,
          after: {
            ...{ device: command.device, type, expiresAt: expiresAt.toISOString() },
            params: params as Json,
          },
        },
      };
    },
  });
}

/** Sends a command to many devices, by a job: it is where its progress is seen, however few they are. */
export function sendToMany(operation: Operation, input: ManyInput): Promise<ManyChanged | UserError> {
  const { schemaChecks } = operation.platform;
  return runOnMany(operation, {
    ...{ name: 'commandSendMany', permission: 'commands.send', input, alwaysByJob: true },
    async prepare() {
      const { type, params, expiresInSeconds } = parseInput(commandSchema, input);
      const expiresAt = new Date(Date.now() + expiresInSeconds * 1_000).toISOString();
      return { type, params: params as Json, expiresAt };
    },
    handler: commandHandler(tellOfCommands, schemaChecks),
    forecast: (reader, tenantId, prepared, condition) =>
      forecastCommands(reader, tenantId, prepared, schemaChecks, condition),
  });
}

/** Takes back a command that its device is not at work on. */
export function cancelCommand(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<CommandCancelled | Refusal> {
  return runMutation(operation, {
    name: 'commandCancel',
    permission: 'commands.send',
    input,
    read: (remembered) => cancelledSchema.parse(remembered),
    async run(scope) {
      const { commandId, status } = await lockCommand(scope, input.id);
      assertCancellable(status);
      const happening = { tenantId: scope.tenantId, deviceId: undefined, commandId, at: Date.now() };
      const { changes } = await applyHappenings(
        scope.run,
        [{ ...happening, event: 'cancelled', details: undefined }],
        () => undefined,
      );
      const [command] = changes;
      if (!command) throw new ConflictFault('the command has gone on meanwhile', ['input', 'id'], null);
      await scope.publish(commandEvents(changes, () => scope.shard));
      return {
        success: { commandId: command.id, mayBeCarriedOut: status === 'SENT' },
        audit: {
          target: targetOf(command),
          before: { status },
          after: { status: command.status },
        },
      };
    },
  });
}

async function lockCommand(
  scope: WriteScope,
  globalId: string,
): Promise<{ readonly commandId: string; readonly status: CommandStatus }> {
  const id = readGlobalId(globalId);
  const [command] =
    id?.typename === 'Command' && /^\d{1,18}$/.test(id.id)
      ? await scope.run<{ commandId: string; status: CommandStatus }>(
          `select command_id::text as "commandId", status::text as status from device_commands
           where id = $1::bigint for no key update`,
          [id.id],
        )
      : [];
  if (!command) throw new NotFoundFault('there is no such command', ['input', 'id']);
  return command;
}

function assertCancellable(status: CommandStatus): void {
  if (isFinished(status))
    throw new ConflictFault(`the command is ${status.toLowerCase()} already`, ['input', 'id'], null);
  if (status === 'ACKNOWLEDGED')
    throw new ConflictFault('the device has accepted the command and is at work', ['input', 'id'], null);
}

function toFault({ code, message, problems }: RefusedDevice): Fault {
  switch (code) {
    case 'NOT_ACTIVE':
      return new ConflictFault(message, ['input', 'deviceId'], null);
    case 'UNKNOWN_TYPE':
      return new NotFoundFault(message, ['input', 'type']);
    case 'TOO_MANY_OPEN':
      return new QuotaFault(message, ['input', 'deviceId'], COMMAND_LIMITS.openPerDevice);
    case 'BAD_PARAMS':
      return new ValidationFault(
        problems.map((problem) => ({
          path: ['input', 'params', ...problem.path.map(String)],
          message: problem.message,
        })),
      );
  }
}

const targetOf = ({ id, device, type }: CommandChange) => ({
  ...{ type: 'Command', id },
  label: `${type} for ${device}`,
});
