import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkBy } from './problems.ts';

const schema = z.strictObject({
  name: z.string().max(3),
  size: z.number().min(1),
  tags: z.array(z.string()).max(2),
  kind: z.enum(['a', 'b']),
  version: z.literal(1),
  own: z.string('must be in words of its own'),
});
const told = (value: unknown) => {
  const { problems = [] } = checkBy(schema, value);
  return problems.map(({ path, message }) => `${path.join('.')} ${message}`);
};

describe('what is wrong with a value', () => {
  it('is told as a sentence with its place', () => {
    expect(told({ name: 'long', size: 0, tags: ['a', 'b', 'c'], kind: 'c', version: 2, own: 1 })).toEqual([
      'name must have at most 3 characters',
      'size must be at least 1',
      'tags must have at most 2 entries',
      'kind must be one of a, b',
      'version must be 1',
      'own must be in words of its own',
    ]);
  });

  it('may be that it is missing, of another kind or not known', () => {
    expect(told({ name: 1, tags: [1], kind: 'a', version: 1, own: '', unti: 1, other: 2 })).toEqual([
      'name must be text',
      'size is missing',
      'tags.0 must be text',
      'unti is not known here',
      'other is not known here',
    ]);
    expect(told('text')).toEqual([' must be an object']);
  });

  it('is nothing where it is as it should be', () => {
    const good = { name: 'abc', size: 1, tags: [], kind: 'a', version: 1, own: '' };
    expect(checkBy(schema, good)).toEqual({ data: good });
  });
});
