import { builder } from '#api/graphql/builder.ts';
import type { CommandEvent } from '#core/fleet/commands.ts';

export const commandStatusEnum = builder.enumType('CommandStatus', {
  description: 'Where a command is on its way. States are only ever gone forward.',
  values: {
    QUEUED: { description: 'It waits for its device, which gets it at once or when it comes.' },
    SENT: { description: 'The device has acknowledged that it has the message.' },
    ACKNOWLEDGED: { description: 'The device has accepted it and is at work.' },
    SUCCEEDED: { description: 'The device says that it is done.' },
    FAILED: { description: 'The device says that it could not.' },
    REJECTED: { description: 'The device does not want to, or does not know such a command.' },
    EXPIRED: { description: 'Its time was over before the device said what came of it.' },
    CANCELLED: {
      description: 'Somebody took it back. If it was sent before, it may be carried out all the same.',
    },
  },
});

export const commandHappeningEnum = builder.enumType('CommandHappening', {
  description: 'What can happen to a command.',
  values: {
    QUEUED: { value: 'queued', description: 'Somebody sent it.' },
    SENT: { value: 'sent', description: 'The device acknowledged the message.' },
    ACCEPTED: { value: 'accepted', description: 'The device said that it begins.' },
    OK: { value: 'ok', description: 'The device said that it is done.' },
    REJECTED: { value: 'rejected', description: 'The device said that it does not want to.' },
    ERROR: { value: 'error', description: 'The device said that it could not.' },
    UNSUPPORTED: { value: 'unsupported', description: 'The device said that it knows no such command.' },
    EXPIRED: { value: 'expired', description: 'Its time was over.' },
    CANCELLED: { value: 'cancelled', description: 'Somebody took it back.' },
  } as const satisfies Readonly<
    Record<string, { readonly value: CommandEvent; readonly description: string }>
  >,
});
