import type { Operation } from '#api/graphql/context.ts';
import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import {
  cancelDeletion,
  createTenant,
  deleteTenant,
  resumeTenant,
  suspendTenant,
  type TenantChanged,
  type TenantInput,
} from './changes.ts';
import { operatedTenantRef } from './tenants-schema.ts';
import { loadOperatedTenant } from './tenants-store.ts';

const reasonDescription = 'Why, in 8 to 500 characters. Stands in the platform’s log and in the tenant’s.';

/** One mutation of the state of a tenant that is there. */
interface Step {
  readonly name: 'Suspend' | 'Resume' | 'Delete' | 'DeleteCancel';
  readonly description: string;
  readonly done: string;
  readonly run: (operation: Operation, input: TenantInput) => Promise<TenantChanged | UserError>;
}

const steps: readonly Step[] = [
  {
    name: 'Suspend',
    description:
      'Lets nobody of a tenant in: its devices are refused and disconnected within a second, its people’s requests are refused with TENANT_SUSPENDED and their sockets closed with 4403. Its data is kept.',
    done: 'The tenant is suspended.',
    run: suspendTenant,
  },
  {
    name: 'Resume',
    description: 'Lets a suspended tenant in again.',
    done: 'The tenant is let in again.',
    run: resumeTenant,
  },
  {
    name: 'Delete',
    description:
      'Suspends a tenant and deletes everything it has after a delay of days, within which `tenantDeleteCancel` calls it off. Its slug is never given out again.',
    done: 'The tenant will be deleted.',
    run: deleteTenant,
  },
  {
    name: 'DeleteCancel',
    description:
      'Calls the deletion of a tenant off, until it has begun. The tenant is again what it was before.',
    done: 'The tenant stays.',
    run: cancelDeletion,
  },
];

const changedFields: SuccessFields<TenantChanged> = (t) => ({
  tenant: t.field({
    type: operatedTenantRef,
    description: 'The tenant as it is now.',
    async resolve({ tenantId }, _args, operation) {
      const tenant = await loadOperatedTenant(operation, tenantId);
      if (!tenant) throw new NotFoundFault('the tenant is gone');
      return tenant;
    },
  }),
});

const resultOf = (done: string): string =>
  `What came of it: ${done.charAt(0).toLowerCase()}${done.slice(1)} Or why not.`;

const created = 'The tenant exists and has nothing yet.';

defineMutation({
  name: 'tenantCreate',
  description: 'Makes a tenant. For operators of the platform. Needs `platform.operate`.',
  input: {
    description: 'A tenant to make.',
    argument: 'The tenant.',
    fields: (t) => ({
      slug: t.string({
        required: true,
        description:
          'Names it in topics and tokens, for ever: 1 to 63 of a-z 0-9 -, beginning with a letter or digit.',
      }),
      name: t.string({ required: true, description: 'What people call it. At most 200 characters.' }),
      retentionDays: t.int({ description: 'How many days readings are kept, 1 to 3 660; 400 by default.' }),
      reason: t.string({ required: true, description: reasonDescription }),
    }),
  },
  run: (operation, { input }) => createTenant(operation, input),
  result: resultOf(created),
  success: { description: created, fields: changedFields },
});

for (const { name, description, done, run } of steps)
  defineMutation({
    name: `tenant${name}`,
    description: `${description} For operators of the platform. Needs \`platform.operate\`.`,
    input: {
      description: 'Which tenant, and why.',
      argument: 'Which tenant.',
      fields: (t) => ({
        slug: t.string({ required: true, description: 'Its slug.' }),
        reason: t.string({ required: true, description: reasonDescription }),
      }),
    },
    run: (operation, { input }) => run(operation, input),
    result: resultOf(done),
    success: { description: done, fields: changedFields },
  });
