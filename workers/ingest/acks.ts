import { findCommands } from '#core/db/commands.ts';
import type { StoreMessages } from '#core/db/telemetry.ts';
import { type DecodedFrame, quarantineRow } from './decode.ts';

/** Stores what devices say of their commands. What is about no command of its device is turned away. */
export const storeAcks: StoreMessages<DecodedFrame> = async (connection, frames) => {
  const acks = frames.flatMap((frame) => frame.acks.map((ack) => ({ frame, ...ack })));
  if (acks.length === 0) return [];
  const known = await findCommands(
    connection,
    acks.map(({ identity: { deviceId }, ack: { commandId } }) => ({ deviceId, commandId })),
  );
  return acks
    .filter(({ identity, ack }) => !known.has(`${identity.deviceId}/${ack.commandId}`))
    .map(({ frame, entry, item, itemIndex, identity, ack }) => {
      const detail = `the device was sent no command ${ack.commandId}`;
      const problem = { reason: 'UNKNOWN_COMMAND' as const, detail, field: 'command_id' };
      const place = { itemIndex, part: 0, whole: true };
      return { frame, entry, row: quarantineRow(item, identity, problem, place) };
    });
};
