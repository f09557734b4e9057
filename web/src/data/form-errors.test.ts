import { expect, it } from 'vitest';
import { sortErrors } from './form-errors.ts';

const fields = ['key', 'name', 'interval'];

it('puts each issue at its field, under the form’s own name for it', () => {
  const error = {
    message: 'Not valid',
    code: 'VALIDATION',
    issues: [
      { path: ['input', 'name'], message: 'Too long.' },
      { path: ['expectedIntervalSeconds'], message: 'Too short.' },
      { path: ['input', 'tags', '3'], message: 'Too many.' },
    ],
  };
  expect(sortErrors(error, fields, { expectedIntervalSeconds: 'interval' })).toEqual([
    { field: 'name', message: 'Too long.' },
    { field: 'interval', message: 'Too short.' },
    { field: undefined, message: 'Too many.' },
  ]);
});

it('uses the error’s own path when it lists no issues', () => {
  expect(sortErrors({ message: 'Taken.', code: 'KEY_TAKEN', path: ['input', 'key'] }, fields)).toEqual([
    { field: 'key', message: 'Taken.' },
  ]);
  expect(sortErrors({ message: 'No.', code: 'FORBIDDEN', path: null }, fields)).toEqual([
    { field: undefined, message: 'No.' },
  ]);
});
