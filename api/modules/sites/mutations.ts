import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { createSite, deleteSite, type SiteChanged, updateSite } from './changes.ts';
import { locationInput, siteRef } from './schema.ts';
import { requireSite } from './service.ts';

const changedFields: SuccessFields<SiteChanged> = (t) => ({
  site: t.field({
    type: siteRef,
    description: 'The site as it is now.',
    resolve: ({ siteId }, _args, operation) => requireSite(operation, siteId),
  }),
});

defineMutation({
  name: 'siteCreate',
  description: 'Creates a site. Needs `sites.write`.',
  input: {
    description: 'A site to create.',
    argument: 'The site.',
    fields: (t) => ({
      key: t.string({
        required: true,
        description:
          '1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit; unique in the tenant, never changes.',
      }),
      name: t.string({ description: 'At most 200 characters; the key by default.' }),
      address: t.string({ description: 'At most 500 characters.' }),
      timezone: t.string({ description: 'IANA time zone, for example Europe/Vienna; UTC by default.' }),
      location: t.field({ type: locationInput, description: 'Where it is.' }),
    }),
  },
  run: (operation, { input }) => createSite(operation, input),
  result: 'What came of creating a site.',
  success: { description: 'The site exists.', fields: changedFields },
});

defineMutation({
  name: 'siteUpdate',
  description: 'Changes a site. Needs `sites.write`.',
  input: {
    description: 'Changes to a site. What is absent stays.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which site.' }),
      expectedVersion: t.int({ description: 'Version the caller has seen; another one is a ConflictError.' }),
      name: t.string({ description: 'At most 200 characters.' }),
      address: t.string({ description: 'At most 500 characters; empty for none.' }),
      timezone: t.string({ description: 'IANA time zone.' }),
      location: t.field({ type: locationInput, description: 'Where it is; null for unknown.' }),
    }),
  },
  run: (operation, { input }) => updateSite(operation, input),
  result: 'What came of changing a site.',
  success: { description: 'The site was changed.', fields: changedFields },
});

defineMutation({
  name: 'siteDelete',
  description:
    'Deletes a site where there are no devices any more but decommissioned ones, which are nowhere afterwards. Needs `sites.write`.',
  input: {
    description: 'A site to delete.',
    argument: 'Which site.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which site.' }),
      expectedVersion: t.int({ description: 'Version the caller has seen; another one is a ConflictError.' }),
    }),
  },
  run: (operation, { input }) => deleteSite(operation, input),
  result: 'What came of deleting a site.',
  success: {
    description: 'The site is gone.',
    fields: (t) => ({ id: t.exposeID('id', { description: 'The id that it had.' }) }),
  },
});
