import type { Role } from '../../generated/graphql.ts';

/** From least to most. */
export const roles: readonly Role[] = ['VIEWER', 'OPERATOR', 'ENGINEER', 'ADMIN'];

export const roleNames: Record<Role, string> = {
  VIEWER: 'Viewer',
  OPERATOR: 'Operator',
  ENGINEER: 'Engineer',
  ADMIN: 'Admin',
};
