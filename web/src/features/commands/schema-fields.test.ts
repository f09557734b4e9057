import { describe, expect, it } from 'vitest';
import { fieldsOf, problemOf, toParams } from './schema-fields.ts';

const schema = {
  type: 'object',
  required: ['hours'],
  additionalProperties: false,
  properties: {
    hours: { type: 'integer', minimum: 1, maximum: 168, description: 'How far back.' },
    level: { enum: ['error', 'info'], default: 'info' },
    name: { type: 'string', maxLength: 4, pattern: '^[a-z]+$' },
    loud: { type: 'boolean' },
    where: { type: 'object', properties: {} },
  },
};

describe('the form of a command', () => {
  it('asks for every parameter of its schema in the way that fits', () => {
    const fields = fieldsOf(schema) ?? [];
    expect(fields.map(({ key, kind, required, initial }) => [key, kind, required, initial])).toEqual([
      ['hours', 'INTEGER', true, ''],
      ['level', 'CHOICE', false, '"info"'],
      ['name', 'TEXT', false, ''],
      ['loud', 'CHOICE', false, ''],
      ['where', 'JSON', false, ''],
    ]);
    expect(fields[0]?.hint).toBe('How far back.');
    const texts = { hours: '24', level: '"error"', name: '', loud: 'false', where: '{"x":1}' };
    expect(toParams(fields, texts)).toEqual({ hours: 24, level: 'error', loud: false, where: { x: 1 } });
  });

  it('says what is wrong with each field', () => {
    const fields = fieldsOf(schema) ?? [];
    const [hours, , name, , where] = fields;
    if (!hours || !name || !where) throw new Error('three fields were expected');
    expect(['', '0', '1.5', 'x', '169', '24'].map((text) => problemOf(hours, text))).toEqual([
      'Needed.',
      'At least 1.',
      'A whole number.',
      'A number.',
      'At most 168.',
      undefined,
    ]);
    expect(problemOf(name, 'abcde')).toBe('At most 4 characters.');
    expect(problemOf(name, 'A')).toContain('^[a-z]+$');
    expect(problemOf(where, '{x}')).toContain('No JSON');
  });

  it('leaves to JSON what fields cannot say', () => {
    expect(fieldsOf(null)).toEqual([]);
    expect(fieldsOf({ type: 'object' })).toBeUndefined();
    expect(fieldsOf({ type: 'object', properties: {}, additionalProperties: false })).toEqual([]);
    expect(fieldsOf({ ...schema, oneOf: [] })).toBeUndefined();
    expect(fieldsOf({ ...schema, required: ['other'] })).toBeUndefined();
  });
});
