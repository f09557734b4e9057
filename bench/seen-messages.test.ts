import { describe, expect, it } from 'vitest';
import { messageIdText, sequenceId } from '#core/fleet/message-id.ts';
import { SeenMessages } from './seen-messages.ts';

describe('messages seen', () => {
  it('count once each, in whatever order and however often they come', () => {
    const seen = new SeenMessages();
    const ids = Array.from({ length: 5_000 }, (_, seq) => messageIdText(sequenceId(65_535, seq * 7)));
    for (const id of ids.toReversed()) expect(seen.add(id)).toBe(true);
    for (const id of ids) expect(seen.add(id)).toBe(false);
    const others = [
      '-1',
      '-9007199254740993',
      messageIdText(sequenceId(1, 7)),
      messageIdText(sequenceId(65_535, 2 ** 40)),
    ];
    for (const id of others) expect([seen.add(id), seen.add(id)]).toEqual([true, false]);
    expect(seen.count).toBe(ids.length + others.length);
  });
});
