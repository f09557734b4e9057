import type { CommandHappening, CommandStatus } from '../../generated/graphql.ts';
import type { Look } from '../devices/presence.ts';

/** Where a command is on its way. */
export const commandStatus: Record<CommandStatus, Look> = {
  QUEUED: { label: 'Waiting', shape: 'dash', tone: 'idle', meaning: 'It waits for its device.' },
  SENT: { label: 'Sent', shape: 'ring', tone: 'idle', meaning: 'The device has the message.' },
  ACKNOWLEDGED: { label: 'Accepted', shape: 'half', tone: 'warn', meaning: 'The device is at work.' },
  SUCCEEDED: { label: 'Done', shape: 'disc', tone: 'good', meaning: 'The device says that it is done.' },
  FAILED: { label: 'Failed', shape: 'triangle', tone: 'bad', meaning: 'The device says that it could not.' },
  REJECTED: { label: 'Rejected', shape: 'square', tone: 'bad', meaning: 'The device does not want to.' },
  EXPIRED: { label: 'Expired', shape: 'triangle', tone: 'warn', meaning: 'Its time was over.' },
  CANCELLED: { label: 'Called off', shape: 'square', tone: 'idle', meaning: 'Somebody took it back.' },
};

/** What can happen to a command, as a sentence about it. */
export const happenings: Record<CommandHappening, string> = {
  QUEUED: 'Somebody sent it',
  SENT: 'The device has the message',
  ACCEPTED: 'The device begins',
  OK: 'The device is done',
  REJECTED: 'The device does not want to',
  ERROR: 'The device could not',
  UNSUPPORTED: 'The device knows no such command',
  EXPIRED: 'Its time was over',
  CANCELLED: 'Somebody took it back',
};

/** Whether it can still be taken back. */
export const mayCancel = (status: CommandStatus): boolean => status === 'QUEUED' || status === 'SENT';

/** Whether it can still change. */
export const isOpen = (status: CommandStatus): boolean => mayCancel(status) || status === 'ACKNOWLEDGED';

export const lifetimes = [
  { seconds: 60, label: '1 minute' },
  { seconds: 300, label: '5 minutes' },
  { seconds: 3_600, label: '1 hour' },
  { seconds: 86_400, label: '1 day' },
  { seconds: 604_800, label: '7 days' },
] as const;
