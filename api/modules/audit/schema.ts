import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { findAuditEntry, listAuditEntries } from './service.ts';
import type { AuditRow } from './store.ts';

const auditEntryRef = builder.objectRef<AuditRow>('AuditEntry');

const auditActorKindEnum = builder.enumType('AuditActorKind', {
  description: 'What kind of somebody did something.',
  values: {
    USER: { description: 'A person of the tenant.' },
    API_KEY: { description: 'A program, with an API key of the tenant.' },
    DEVICE: { description: 'A device that enrolled itself with a claim code.' },
    PROVISIONING_TOKEN: { description: 'A provisioning token, by which an unknown device made itself.' },
    CLIENT: { description: 'A program, with an access token of its own from the identity provider.' },
    OPERATOR: { description: 'An operator of the platform, who is no member of the tenant.' },
  },
});

const auditActorRef = builder.objectRef<AuditRow>('AuditActor').implement({
  description: 'Who did something, as it was then.',
  fields: (t) => ({
    id: t.exposeString('actorId', {
      description:
        '`user:` and the subject at the identity provider, `client:` and a client’s id there, or `key:`, `claim:` or `provisioning:` and a number.',
    }),
    kind: t.field({
      type: auditActorKindEnum,
      description: 'Person, program, device, provisioning token or operator of the platform.',
      resolve: (row) => row.actorKind,
    }),
    name: t.exposeString('actorName', {
      description: 'Name of the person, the API key or the provisioning token, or the key of the device.',
    }),
  }),
});

const auditTargetRef = builder.objectRef<AuditRow>('AuditTarget').implement({
  description: 'What something was done to. It may be gone.',
  fields: (t) => ({
    id: t.id({
      description: 'Its id, as `node` takes it.',
      resolve: (row) => encodeGlobalId(row.targetType, row.targetId),
    }),
    type: t.exposeString('targetType', { description: 'Name of its type, for example Device.' }),
    label: t.exposeString('targetLabel', { description: 'Its key or name, as it was then.' }),
  }),
});

builder.node(auditEntryRef, {
  description: 'One thing that somebody did. Entries are never altered.',
  id: { resolve: (row) => row.id },
  loadWithoutCache: (id, operation) => findAuditEntry(operation, id),
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When.', resolve: (row) => row.at }),
    actor: t.field({ type: auditActorRef, description: 'Who.', resolve: (row) => row }),
    action: t.exposeString('action', {
      description: 'Which mutation, for example deviceUpdate, or what else it was.',
    }),
    target: t.field({ type: auditTargetRef, description: 'To what.', resolve: (row) => row }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What changed, as it was; null for something new. Secrets are redacted.',
      resolve: (row) => row.before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What changed, as it became. Secrets are redacted.',
      resolve: (row) => row.after,
    }),
    ip: t.exposeString('ip', { nullable: true, description: 'Address the request came from, where known.' }),
    requestId: t.exposeString('requestId', {
      description: 'The request’s `x-request-id`; the server’s log has it too.',
    }),
  }),
});

export const auditFilterInput = builder.inputType('AuditFilter', {
  description: 'Which entries. All conditions must hold; what is absent or null does not limit.',
  fields: (t) => ({
    actor: t.string({ description: 'Part of the actor’s name, in any case, or the whole of its id.' }),
    actions: t.stringList({ description: 'Names of mutations; one of them. At most 100.' }),
    target: t.string({ description: 'Part of the target’s label, in any case, or its id.' }),
    from: t.field({ type: 'DateTime', description: 'Not before.' }),
    to: t.field({ type: 'DateTime', description: 'Before.' }),
  }),
});

const auditEntryConnectionRef = builder.connectionObject(
  { type: auditEntryRef, name: 'AuditEntryConnection', description: 'A page of audit entries.' },
  { name: 'AuditEntryEdge', description: 'An audit entry in a page.' },
);

builder.queryField('auditEntries', (t) =>
  t.connection(
    {
      type: auditEntryRef,
      description: 'Who changed what in the tenant, newest first. Needs `audit.read`.',
      complexity: pageCost,
      args: { where: t.arg({ type: auditFilterInput, description: 'Which ones; all of them by default.' }) },
      resolve: (_root, { where, ...page }, operation) => listAuditEntries(operation, page, where ?? {}),
    },
    auditEntryConnectionRef,
  ),
);
