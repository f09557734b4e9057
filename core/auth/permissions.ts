/** The system roles, from least to most. Each holds what the one before it holds, and more. */
export const ROLES = ['VIEWER', 'OPERATOR', 'ENGINEER', 'ADMIN'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a service asks for before it acts. The only place where permissions are named. No role grants `platform.operate`:
 * it comes with the token of an operator of the platform, and never with a key.
 */
export type Permission =
  | 'apiKeys.manage'
  | 'audit.read'
  | 'devices.read'
  | 'devices.write'
  | 'platform.operate'
  | 'quarantine.manage'
  | 'sites.read'
  | 'telemetry.read';

const READ: readonly Permission[] = ['devices.read', 'sites.read', 'telemetry.read'];
/** Who sends messages again or gives them up. */
const OPERATE: readonly Permission[] = [...READ, 'quarantine.manage'];
const WRITE: readonly Permission[] = [...OPERATE, 'devices.write'];
const ADMINISTER: readonly Permission[] = [...WRITE, 'apiKeys.manage', 'audit.read'];

const GRANTED: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  VIEWER: new Set(READ),
  OPERATOR: new Set(OPERATE),
  ENGINEER: new Set(WRITE),
  ADMIN: new Set(ADMINISTER),
};

/** Every permission of a role. */
export const permissionsOf = (role: Role): ReadonlySet<Permission> => GRANTED[role];

/** The highest known role among the names given, in any case; undefined when there is none. */
export function highestRole(names: readonly string[]): Role | undefined {
  const given = new Set(names.map((name) => name.toUpperCase()));
  return ROLES.findLast((role) => given.has(role));
}
