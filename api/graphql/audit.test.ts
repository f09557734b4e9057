import { describe, expect, it } from 'vitest';
import { changesBetween, redact } from './audit.ts';

describe('redact', () => {
  it('hides whatever a name calls a secret, at any depth, and nothing else', () => {
    expect(
      redact({
        key: 'pump-1',
        clientSecret: 'x',
        attributes: { wifi: [{ password: 'y', ssid: 'hall' }], api_key: 'z', floor: 3, token: null },
      }),
    ).toEqual({
      key: 'pump-1',
      clientSecret: '[redacted]',
      attributes: {
        wifi: [{ password: '[redacted]', ssid: 'hall' }],
        api_key: '[redacted]',
        floor: 3,
        token: null,
      },
    });
  });
});

describe('changesBetween', () => {
  it('keeps what changed, with what it was', () => {
    expect(
      changesBetween({ name: 'a', tags: ['x'], model: null }, { name: 'b', tags: ['x'], model: null }),
    ).toEqual({ before: { name: 'a' }, after: { name: 'b' } });
  });
});
