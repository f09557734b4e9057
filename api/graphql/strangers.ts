import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import type { Person, Viewer } from '#core/auth/viewer.ts';
import { hasOnly } from './limits.ts';

/** What somebody may ask whom the identity provider vouches for and no tenant knows. */
const FIELDS: readonly string[] = ['invitationOffer', 'invitationAccept', '__typename'];

export const isForStrangers = (operation: OperationDefinitionNode, document: DocumentNode): boolean =>
  hasOnly(operation, document, (field) => FIELDS.includes(field));

/** Belongs to no tenant: row-level security shows nothing of any, and every permission is missing. */
const NO_TENANT = 0;

/** The viewer that somebody is without a tenant. Admission lets only operations of `isForStrangers` have it. */
export const strangerOf = (person: Person): Viewer => ({
  kind: 'USER',
  subject: person.subject,
  tenantId: NO_TENANT,
  tenantSlug: '',
  role: 'VIEWER',
  permissions: new Set(),
  name: person.name,
  email: person.email,
  expiresAt: person.expiresAt,
  credentialId: `user:${person.subject}`,
  sessionId: null,
  rowId: null,
  person,
});
