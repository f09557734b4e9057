import type { TenantStatus } from '../fleet/tenants.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { TokenClaims } from './claims.ts';
import { highestRole, type Role } from './permissions.ts';

export interface TenantRecord {
  readonly id: number;
  readonly slug: string;
  readonly status: TenantStatus;
}

/** One row of a person in the members of a tenant, removed or not. */
export interface MembershipRecord {
  readonly memberId: number;
  readonly tenant: TenantRecord;
  readonly tenantName: string;
  readonly role: Role;
  /** What brought the person: claims that name the tenant, or an invitation. */
  readonly origin: 'PROVIDER' | 'INVITATION';
  /** Whose word the role is: the claims', or that of an admin of the tenant. */
  readonly roleSource: 'PROVIDER' | 'TENANT';
  readonly removed: boolean;
}

/** In which role somebody may come into a tenant, and what there is to write down about it. */
export interface Admission {
  readonly tenantSlug: string;
  readonly role: Role;
  /** Undefined: the claims bring somebody new. */
  readonly membership: MembershipRecord | undefined;
  /** The claims give another role than the one written down. */
  readonly roleChanged: boolean;
}

type Identity = Pick<TokenClaims, 'tenants' | 'roles'>;

/**
 * The tenants that somebody may mean, best first: the one chosen, else those of the claims, else those whose invitations
 * were accepted.
 */
export function candidateTenants(
  claims: Identity,
  memberships: readonly MembershipRecord[],
  chosen: string | undefined,
): readonly string[] {
  if (chosen !== undefined) return [chosen];
  return [...new Set([...claims.tenants, ...memberships.map(({ tenant }) => tenant.slug)])];
}

/**
 * Whether a person may come into one tenant, and as what. Claims introduce: who is new gets the role they give. What an
 * admin of the tenant decided (invited, changed a role, removed) counts from then on, whatever the claims say; somebody
 * whom only claims brought must still be named by them.
 */
export function judgeMembership(
  claims: Identity,
  membership: MembershipRecord | undefined,
  tenantSlug: string,
): Admission | AuthenticationError {
  if (membership?.removed)
    return new AuthenticationError('removed', 'you were removed from the tenant; ask an admin to invite you');
  if (membership?.origin === 'INVITATION') {
    return { tenantSlug, membership, role: membership.role, roleChanged: false };
  }
  if (!claims.tenants.includes(tenantSlug))
    return new AuthenticationError('not_a_member', 'you are not a member of the tenant');
  const given = highestRole(claims.roles);
  const role = membership?.roleSource === 'TENANT' ? membership.role : given;
  if (!role) return new AuthenticationError('no_role', 'the token grants no role here');
  return { tenantSlug, membership, role, roleChanged: membership !== undefined && role !== membership.role };
}
