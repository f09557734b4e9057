import { describe, expect, it } from 'vitest';
import { highestRole, permissionsOf, ROLES } from './permissions.ts';

describe('permissions', () => {
  it('gives each role what the one before it has, and lets only engineers and admins write', () => {
    for (const [index, role] of ROLES.entries()) {
      const before = ROLES[index - 1];
      if (before)
        expect([...permissionsOf(before)].filter((each) => !permissionsOf(role).has(each))).toEqual([]);
    }
    expect(ROLES.filter((role) => permissionsOf(role).has('devices.write'))).toEqual(['ENGINEER', 'ADMIN']);
  });

  it('takes the highest role it knows, in any case', () => {
    expect(highestRole(['viewer', 'something', 'Engineer'])).toBe('ENGINEER');
    expect(highestRole(['root'])).toBeUndefined();
  });
});
