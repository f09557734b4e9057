import { builder } from './builder.ts';
import {
  ConflictFault,
  Fault,
  ForbiddenFault,
  type Issue,
  NotFoundFault,
  ValidationFault,
} from './errors.ts';

const userErrorRef = builder.interfaceRef<Fault>('UserError').implement({
  description: 'A refusal that the caller can act on.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
    code: t.exposeString('code', {
      description: 'Stable, for programs: NOT_FOUND, VALIDATION, CONFLICT, FORBIDDEN.',
    }),
    path: t.stringList({
      nullable: true,
      description: 'The input it is about, from the argument inwards; null when it is about the whole.',
      resolve: (fault) => fault.path,
    }),
  }),
});

const issueRef = builder.objectRef<Issue>('ValidationIssue').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.stringList({
      description: 'From the argument inwards, for example input, tags, 0.',
      resolve: (issue) => issue.path,
    }),
    message: t.exposeString('message', { description: 'What the value must be.' }),
  }),
});

export const forbiddenErrorRef = builder.objectType(ForbiddenFault, {
  name: 'ForbiddenError',
  description: 'The role of the viewer does not allow it.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    permission: t.exposeString('permission', { description: 'The permission that is missing.' }),
  }),
});

export const notFoundErrorRef = builder.objectType(NotFoundFault, {
  name: 'NotFoundError',
  description: 'Something the input names does not exist, or the viewer may not know of it.',
  interfaces: [userErrorRef],
});

export const conflictErrorRef = builder.objectType(ConflictFault, {
  name: 'ConflictError',
  description: 'The object is not in the state that the input expects.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    currentVersion: t.exposeInt('currentVersion', {
      nullable: true,
      description: 'Version of the object as it is; null where there is none.',
    }),
  }),
});

export const validationErrorRef = builder.objectType(ValidationFault, {
  name: 'ValidationError',
  description: 'The input breaks its rules; `issues` has every one.',
  interfaces: [userErrorRef],
  fields: (t) => ({
    issues: t.field({
      type: [issueRef],
      description: 'Everything that is wrong.',
      resolve: (fault) => [...fault.issues],
    }),
  }),
});

/** Names the member of a result union: the fault's own type, or the success. */
export function resultTypeOf(successName: string): (value: unknown) => string {
  return (value) => (value instanceof Fault ? value.graphqlName : successName);
}
