import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonTexts } from './json-text.ts';

describe('texts', () => {
  it('stay as they were written until they are cleared, however many and however long', () => {
    const texts = new JsonTexts();
    const written = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.constant('x'.repeat(70_000)));
    fc.assert(
      fc.property(fc.array(written, { maxLength: 60 }), (wanted) => {
        const made = wanted.map((text) => texts.add(text));
        expect(made.map(String)).toEqual(wanted);
        texts.clear();
      }),
      { numRuns: 50 },
    );
  });

  it('use the same bytes again once they are cleared', () => {
    const texts = new JsonTexts();
    const first = texts.add('first');
    texts.clear();
    expect(texts.add('again').bytes).toBe(first.bytes);
  });
});
