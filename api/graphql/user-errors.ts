import { builder } from './builder.ts';
import { INVITATION_FAULTS, type Issue, type SpecialError, type UserError } from './errors.ts';

type AnyError = UserError | SpecialError;
type ErrorOf<Kind extends AnyError['kind']> = Extract<AnyError, { readonly kind: Kind }>;

const userErrorRef = builder.interfaceRef<AnyError>('UserError').implement({
  description: 'A refusal that the caller can act on.',
  resolveType: ({ kind }) => kind,
  fields: (t) => ({
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
    code: t.exposeString('code', {
      description:
        'Stable, for programs: NOT_FOUND, VALIDATION, CONFLICT, FORBIDDEN, LAST_ADMIN, INVITATION, QUOTA.',
    }),
    path: t.stringList({
      nullable: true,
      description: 'The input it is about, from the argument inwards; null when it is about the whole.',
      resolve: ({ path }) => path,
    }),
  }),
});

const issueRef = builder.objectRef<Issue>('ValidationIssue').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.stringList({
      description: 'From the argument inwards, for example input, tags, 0.',
      resolve: ({ path }) => path,
    }),
    message: t.exposeString('message', { description: 'What the value must be.' }),
  }),
});

export const forbiddenErrorRef = builder.objectRef<ErrorOf<'ForbiddenError'>>('ForbiddenError').implement({
  description: 'The role of the viewer does not allow it.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    permission: t.exposeString('permission', { description: 'The permission that is missing.' }),
  }),
});

export const notFoundErrorRef = builder.objectRef<ErrorOf<'NotFoundError'>>('NotFoundError').implement({
  description: 'Something the input names does not exist, or the viewer may not know of it.',
  interfaces: [userErrorRef],
});

export const conflictErrorRef = builder.objectRef<ErrorOf<'ConflictError'>>('ConflictError').implement({
  description: 'The object is not in the state that the input expects.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    currentVersion: t.exposeInt('currentVersion', {
      nullable: true,
      description: 'Version of the object as it is; null where there is none.',
    }),
  }),
});

export const validationErrorRef = builder.objectRef<ErrorOf<'ValidationError'>>('ValidationError').implement({
  description: 'The input breaks its rules; `issues` has every one.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    issues: t.field({
      type: [issueRef],
      description: 'Everything that is wrong.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
});

export const lastAdminErrorRef = builder.objectRef<ErrorOf<'LastAdminError'>>('LastAdminError').implement({
  description: 'The change would leave the tenant without an admin. Make somebody else one first.',
  interfaces: [userErrorRef],
});

export const quotaErrorRef = builder.objectRef<ErrorOf<'QuotaError'>>('QuotaError').implement({
  description: 'There is as much of something as there may be.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    limit: t.exposeInt('limit', { description: 'How much there may be.' }),
  }),
});

const invitationFaultDescriptions = {
  ACCEPTED: 'Somebody has accepted it: it is good for one.',
  EXPIRED: 'Its time is up.',
  OTHER_ADDRESS: 'It was made for another e-mail address than that of whoever presents it.',
  REVOKED: 'An admin took it back.',
} as const;

export const invitationFaultEnum = builder.enumType('InvitationFault', {
  description: 'Why an invitation lets nobody in.',
  values: Object.fromEntries(
    INVITATION_FAULTS.map((fault) => [fault, { description: invitationFaultDescriptions[fault] }]),
  ),
});

export const invitationErrorRef = builder.objectRef<ErrorOf<'InvitationError'>>('InvitationError').implement({
  description: 'The invitation is there, but does not let the viewer in.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    reason: t.field({
      type: invitationFaultEnum,
      description: 'Why not.',
      resolve: ({ reason }) => reason,
    }),
  }),
});

/** Names the member of a result union: the refusal's own type, or the success. */
export function resultTypeOf<Success extends string>(
  success: Success,
): (value: object) => Success | AnyError['kind'] {
  return (value) => (isUserError(value) ? value.kind : success);
}

const isUserError = (value: object): value is AnyError =>
  'kind' in value && 'code' in value && 'path' in value;
