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
  | 'certificates.manage'
  | 'commands.send'
  | 'devices.read'
  | 'devices.write'
  | 'groups.write'
  | 'members.manage'
  | 'members.read'
  | 'platform.operate'
  | 'quarantine.manage'
  | 'shadow.write'
  | 'sites.read'
  | 'sites.write'
  | 'telemetry.read'
  | 'templates.write';

const READ: readonly Permission[] = ['devices.read', 'members.read', 'sites.read', 'telemetry.read'];
/** Who tells devices what to do and to be, and sends messages again or gives them up. */
const OPERATE: readonly Permission[] = [...READ, 'commands.send', 'quarantine.manage', 'shadow.write'];
const WRITE: readonly Permission[] = [
  ...OPERATE,
  'devices.write',
  'groups.write',
  'sites.write',
  'templates.write',
];
const ADMINISTER: readonly Permission[] = [
  ...WRITE,
  'apiKeys.manage',
  'audit.read',
  'certificates.manage',
  'members.manage',
];

const GRANTED: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  VIEWER: new Set(READ),
  OPERATOR: new Set(OPERATE),
  ENGINEER: new Set(WRITE),
  ADMIN: new Set(ADMINISTER),
};

/** Every permission there is, sorted. */
export const PERMISSIONS: readonly Permission[] = [...GRANTED.ADMIN].sort();

/**
 * Every permission of a role or, with scopes, those of them that the scopes name. A scope beyond the role gives nothing.
 * @param scopes undefined or empty: all of the role
 */
export function permissionsOf(role: Role, scopes: readonly string[] = []): ReadonlySet<Permission> {
  if (scopes.length === 0) return GRANTED[role];
  return new Set([...GRANTED[role]].filter((permission) => scopes.includes(permission)));
}

/** The permission of `wanted` that is not among `held`, or undefined: nobody may give away more than they have. */
export const permissionBeyond = (
  wanted: ReadonlySet<Permission>,
  held: ReadonlySet<Permission>,
): Permission | undefined => [...wanted].find((permission) => !held.has(permission));

/** The highest known role among the names given, in any case; undefined when there is none. */
export function highestRole(names: readonly string[]): Role | undefined {
  const given = new Set(names.map((name) => name.toUpperCase()));
  return ROLES.findLast((role) => given.has(role));
}
