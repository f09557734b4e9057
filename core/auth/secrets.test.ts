import { describe, expect, it } from 'vitest';
import { createSecretBox, SealError } from './secrets.ts';

const OLD = '01'.repeat(32);
const NEW = '02'.repeat(32);
const secret = Buffer.from('a private key');

describe('sealed secrets', () => {
  it('are opened by the same key for the same purpose only', () => {
    const box = createSecretBox(OLD);
    const sealed = box.seal('ca/acme', secret);
    expect(sealed.includes(secret)).toBe(false);
    expect(box.open('ca/acme', sealed)).toEqual(secret);
    expect(() => box.open('ca/rival', sealed)).toThrow(SealError);
    expect(() => createSecretBox(NEW).open('ca/acme', sealed)).toThrow(`no key ${box.keyId}`);
  });

  it('are written under the newest key and read under every one', () => {
    const sealed = createSecretBox(OLD).seal('ca/acme', secret);
    const rotated = createSecretBox(NEW, [OLD]);
    expect(rotated.open('ca/acme', sealed)).toEqual(secret);
    expect(rotated.keyIdOf(sealed)).toBe(createSecretBox(OLD).keyId);
    expect(rotated.keyIdOf(rotated.seal('ca/acme', secret))).toBe(createSecretBox(NEW).keyId);
  });

  it('say so when a byte was changed or most are missing', () => {
    const box = createSecretBox(OLD);
    const sealed = box.seal('ca/acme', secret);
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    expect(() => box.open('ca/acme', sealed)).toThrow('broken');
    expect(() => box.open('ca/acme', Buffer.from([1, 2]))).toThrow('not sealed by us');
  });
});
