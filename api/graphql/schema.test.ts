import { describe, expect, it } from 'vitest';
import { schema } from './schema.ts';

describe('schema', () => {
  it('describes every type, field, argument, input field and enum value', () => {
    const undescribed: string[] = [];
    const check = (name: string, { description }: { readonly description?: string | null | undefined }) => {
      if (!description?.trim()) undescribed.push(name);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__') || ['ID', 'String', 'Int', 'Float', 'Boolean'].includes(type.name))
        continue;
      check(type.name, type);
      if ('getValues' in type)
        for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
      if (!('getFields' in type)) continue;
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        if ('args' in field)
          for (const argument of field.args) check(`${type.name}.${field.name}(${argument.name})`, argument);
      }
    }
    expect(undescribed).toEqual([]);
  });
});
