import { COMMAND_ANSWERS, COMMAND_LIMITS, type CommandAnswer } from './commands.ts';
import type { Dialect } from './dialects/dialect.ts';
import { foreignDevice } from './dialects/meter2.ts';
import { documentProblem, type JsonValue } from './json-documents.ts';
import { isObject, type Problem, parsePayload, problemPart, type TelemetryLimits } from './telemetry.ts';

/** What a device says of a command that it was sent. */
export interface CommandAck {
  /** A UUID in lower case. */
  readonly commandId: string;
  readonly status: CommandAnswer;
  readonly details: JsonValue | undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isCommandId = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

/** Reads `{"command_id","status","details"?}`; a meter's may name its `device_id`. Never throws. */
export function readCommandAck(
  dialect: Dialect,
  payload: Uint8Array,
  device: string,
  limits: Pick<TelemetryLimits, 'maxMessageBytes'>,
): { readonly ack: CommandAck } | { readonly problem: Problem } {
  const parsed = parsePayload(payload, limits);
  if ('problem' in parsed) return parsed;
  const { value } = parsed;
  if (!isObject(value)) return problemPart('BAD_SHAPE', 'an acknowledgement is a JSON object');
  const foreign = dialect === 'meter2' ? foreignDevice(value, device, false) : undefined;
  if (foreign) return foreign;
  const { command_id: commandId, status, details } = value;
  if (!isCommandId(commandId))
    return problemPart('BAD_SHAPE', 'command_id is the id of the command, a UUID', 'command_id');
  const known = COMMAND_ANSWERS.find((each) => each === status);
  if (!known) return problemPart('BAD_SHAPE', `status is one of ${COMMAND_ANSWERS.join(', ')}`, 'status');
  const wrong = details === undefined ? undefined : documentProblem(details);
  if (wrong) return problemPart('BAD_VALUE', wrong.detail, `details${wrong.at}`);
  if (details !== undefined && Buffer.byteLength(JSON.stringify(details)) > COMMAND_LIMITS.detailsBytes)
    return problemPart('TOO_LARGE', `details has at most ${COMMAND_LIMITS.detailsBytes} bytes`, 'details');
  return {
    ack: { commandId: commandId.toLowerCase(), status: known, details: details as JsonValue | undefined },
  };
}
