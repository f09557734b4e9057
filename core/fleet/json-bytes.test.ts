import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberEnd, plainNumber } from './json-bytes.ts';

const bytesOf = (text: string) => Buffer.from(`${text},`);

/** Whether a text is a number by itself, as JSON has it. */
function isNumber(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'number' && text.trim() === text;
  } catch {
    return false;
  }
}

const digits = fc.stringMatching(/^[0-9]{1,18}$/);
const sign = fc.constantFrom('', '-');
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(sign, digits, digits).map(([minus, whole, decimals]) => `${minus}${whole}.${decimals}`),
  fc.tuple(sign, digits).map((parts) => parts.join('')),
  fc
    .tuple(sign, fc.integer({ min: 0, max: 9 }), digits)
    .map(([minus, n, rest]) => `${minus}0.${'0'.repeat(n)}${rest}`),
  fc
    .tuple(digits, fc.constantFrom('e', 'E', 'e+', 'E-'), fc.nat({ max: 400 }))
    .map((parts) => parts.join('')),
  fc.stringMatching(/^[0-9.eE+-]{1,12}$/),
);

describe('numberEnd', () => {
  it('finds the numbers of JSON, and takes none for plain that JavaScript prints differently', () => {
    fc.assert(
      fc.property(numberText, (text) => {
        const bytes = bytesOf(text);
        const end = numberEnd(bytes, 0);
        expect(Math.abs(end) === text.length).toBe(isNumber(text));
        if (end !== text.length) return;
        expect(String(JSON.parse(text))).toBe(text);
        expect(plainNumber(bytes, 0, end)).toBe(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['0', '7', '-7', '740.6', '-0.5', '0.001', '123456789012345', '12345678901.2345'])(
    '%s is plain',
    (text) => {
      expect(numberEnd(bytesOf(text), 0)).toBe(text.length);
    },
  );

  it.each(['-0', '1.0', '1.10', '1e3', '0.0000001', '1234567890123456', '0.1234567890123456'])(
    '%s is not plain',
    (text) => expect(numberEnd(bytesOf(text), 0)).toBe(-text.length),
  );
});
