/** Every state of a command, in the order in which it can reach them; the last five are final. */
export const COMMAND_STATUSES = [
  'QUEUED',
  'SENT',
  'ACKNOWLEDGED',
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

/** What a device may answer. */
export const COMMAND_ANSWERS = ['accepted', 'ok', 'rejected', 'error', 'unsupported'] as const;
export type CommandAnswer = (typeof COMMAND_ANSWERS)[number];

/** What can happen to a command. */
export type CommandEvent = 'queued' | 'sent' | CommandAnswer | 'expired' | 'cancelled';

export const COMMAND_LIMITS = {
  /** Of `params` as JSON in UTF-8, and of `details` in an answer. */
  paramsBytes: 8_192,
  detailsBytes: 8_192,
  /** Not finished, of one device. */
  openPerDevice: 100,
  defaultExpirySeconds: 3_600,
  maxExpirySeconds: 7 * 86_400,
  /** How long after its expiry a command may be at work that its device has accepted. */
  answerGraceSeconds: 86_400,
} as const;

/** The `type` of a command; the same pattern as in templates. */
export const COMMAND_TYPE = /^[a-z][a-z0-9_.-]{0,63}$/;

const RANK: Readonly<Record<CommandStatus, number>> = {
  ...{ QUEUED: 0, SENT: 1, ACKNOWLEDGED: 2 },
  ...{ SUCCEEDED: 3, FAILED: 3, REJECTED: 3, EXPIRED: 3, CANCELLED: 3 },
};

const TARGET: Readonly<Record<CommandEvent, CommandStatus>> = {
  queued: 'QUEUED',
  sent: 'SENT',
  accepted: 'ACKNOWLEDGED',
  ok: 'SUCCEEDED',
  rejected: 'REJECTED',
  unsupported: 'REJECTED',
  error: 'FAILED',
  expired: 'EXPIRED',
  cancelled: 'CANCELLED',
};

/** Whether nothing changes it any more. */
export const isFinished = (status: CommandStatus): boolean => RANK[status] === RANK.SUCCEEDED;

export const isCommandAnswer = (value: unknown): value is CommandAnswer =>
  COMMAND_ANSWERS.some((answer) => answer === value);

/**
 * The state an event brings a command to; undefined where it stays as it is. States are only ever gone forward: an answer
 * counts whether or not it is known that the command was sent, and nothing reopens what is finished. A command that its device
 * has accepted is cancelled no more.
 */
export function nextStatus(status: CommandStatus, event: CommandEvent): CommandStatus | undefined {
  if (event === 'cancelled' && status === 'ACKNOWLEDGED') return undefined;
  const target = TARGET[event];
  return RANK[target] > RANK[status] ? target : undefined;
}
