import { builder } from '#api/graphql/builder.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import type { MembershipRecord } from '#core/auth/membership.ts';
import { permissionsOf, ROLES } from '#core/auth/permissions.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import { tenantRef } from '../tenants/schema.ts';
import { loadTenant } from '../tenants/service.ts';

const roleDescriptions = {
  VIEWER: 'Looks at everything.',
  OPERATOR: 'Keeps the fleet running.',
  ENGINEER: 'Adds, changes and decommissions devices.',
  ADMIN: 'May do everything in the tenant.',
} as const;

export const roleEnum = builder.enumType('Role', {
  description: 'What somebody may do in a tenant, from least to most.',
  values: Object.fromEntries(ROLES.map((role) => [role, { description: roleDescriptions[role] }])),
});

export const viewerKindEnum = builder.enumType('ViewerKind', {
  description: 'How somebody came in.',
  values: {
    USER: { description: 'A person, with an access token of the identity provider.' },
    API_KEY: { description: 'A program, with an API key.' },
    CLIENT: { description: 'A program, with an access token of its own (client credentials).' },
  },
});

const grantRef = builder.objectRef<(typeof ROLES)[number]>('RoleGrant').implement({
  description: 'What a role allows.',
  fields: (t) => ({
    role: t.field({ type: roleEnum, description: 'Which role.', resolve: (role) => role }),
    permissions: t.stringList({
      description: 'The permissions of the role, for example `devices.write`; sorted.',
      resolve: (role) => [...permissionsOf(role)].sort(),
    }),
  }),
});

const membershipRef = builder.objectRef<MembershipRecord>('Membership').implement({
  description: 'A tenant that a person belongs to.',
  fields: (t) => ({
    tenantSlug: t.string({
      description:
        'Names the tenant in the header `x-fleetgraph-tenant` and in `tenant` of `connection_init`.',
      resolve: ({ tenant }) => tenant.slug,
    }),
    tenantName: t.exposeString('tenantName', { description: 'What people call the tenant.' }),
    role: t.field({ type: roleEnum, description: 'What the person is there.', resolve: ({ role }) => role }),
  }),
});

const viewerRef = builder.objectRef<Viewer>('Viewer');
viewerRef.implement({
  description: 'Who asks.',
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; the same for every request of this user or key.',
      resolve: (viewer) => encodeGlobalId('Viewer', Buffer.from(viewer.credentialId).toString('base64url')),
    }),
    kind: t.field({
      type: viewerKindEnum,
      description: 'Person or program.',
      resolve: (viewer) => viewer.kind,
    }),
    name: t.exposeString('name', { description: 'What to call the viewer.' }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'E-mail address, where the provider tells it.',
    }),
    tenant: t.field({
      type: tenantRef,
      description: 'Whose data the viewer sees.',
      async resolve(viewer, _args, operation) {
        const tenant = await loadTenant(operation, viewer.tenantId);
        if (!tenant) throw new NotFoundFault('the tenant is gone');
        return tenant;
      },
    }),
    memberships: t.field({
      type: [membershipRef],
      description: 'Every tenant that the person belongs to, in the order of joining; empty for programs.',
      complexity: 10,
      async resolve({ person }, _args, { platform }) {
        const all = person ? await platform.findMemberships(person) : [];
        return all.filter(({ removed, tenant }) => !removed && tenant.status === 'ACTIVE');
      },
    }),
    role: t.field({ type: roleEnum, description: 'Role in the tenant.', resolve: (viewer) => viewer.role }),
    permissions: t.stringList({
      description:
        'What the viewer may do, for example `devices.write`: what the role allows, less what the scopes of the key or token leave out. Sorted.',
      resolve: (viewer) => [...viewer.permissions].sort(),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the token or key ends; null when it does not. Sockets are closed then with code 4403.',
      resolve: (viewer) => viewer.expiresAt,
    }),
  }),
});

builder.queryField('roles', (t) =>
  t.field({
    type: [grantRef],
    description: 'What each role allows, from least to most.',
    resolve: () => [...ROLES],
  }),
);

builder.queryField('viewer', (t) =>
  t.field({
    type: viewerRef,
    description: 'Who asks: the person or program behind the credential of this request.',
    resolve: (_root, _args, operation) => operation.viewer,
  }),
);
