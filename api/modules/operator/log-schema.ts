import { builder } from '#api/graphql/builder.ts';
import type { PlatformLogRow } from './log-store.ts';

export const platformLogEntryRef = builder.objectRef<PlatformLogRow>('PlatformAuditEntry').implement({
  description: 'One thing that an operator of the platform looked at or did. Entries are never altered.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'Its number.' }),
    at: t.field({ type: 'DateTime', description: 'When.', resolve: (row) => row.at }),
    actorId: t.exposeString('actorId', {
      description:
        'Who: `user:` and the subject at the identity provider, or what else acts for the platform.',
    }),
    actorName: t.exposeString('actorName', { description: 'What they are called.' }),
    action: t.exposeString('action', { description: 'Which mutation, or `operatorAccess` for a look.' }),
    reason: t.exposeString('reason', { description: 'Why, in the words of the operator.' }),
    tenants: t.exposeStringList('tenants', {
      description: 'Slugs of the tenants it was about by name; empty when it was about any.',
    }),
    fields: t.exposeStringList('fields', { description: 'What was asked for below `operator`.' }),
    arguments: t.field({
      type: 'JSON',
      nullable: true,
      description: 'With which arguments; null without any.',
      resolve: (row) => row.arguments,
    }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What changed, as it was.',
      resolve: (row) => row.before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What changed, as it became.',
      resolve: (row) => row.after,
    }),
    ip: t.exposeString('ip', { nullable: true, description: 'Address the request came from, where known.' }),
    requestId: t.exposeString('requestId', { description: 'The request’s `x-request-id`.' }),
  }),
});

export const platformLogFilterInput = builder.inputType('PlatformAuditFilter', {
  description: 'Which entries. All conditions must hold; what is absent or null does not limit.',
  fields: (t) => ({
    actor: t.string({ description: 'Part of the actor’s name, in any case, or the whole of its id.' }),
    tenant: t.string({ description: 'Slug of a tenant that it was about by name.' }),
    actions: t.stringList({ description: 'Names of mutations, `operatorAccess`; one of them. At most 100.' }),
    from: t.field({ type: 'DateTime', description: 'Not before.' }),
    to: t.field({ type: 'DateTime', description: 'Before.' }),
  }),
});
