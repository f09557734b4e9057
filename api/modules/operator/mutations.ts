import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
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
const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const tenantCreateInput = builder.inputType('TenantCreateInput', {
  description: 'A tenant to make.',
  fields: (t) => ({
    slug: t.string({
      required: true,
      description:
        'Names it in topics and tokens, for ever: 1 to 63 of a-z 0-9 -, beginning with a letter or digit.',
    }),
    name: t.string({ required: true, description: 'What people call it. At most 200 characters.' }),
    retentionDays: t.int({ description: 'How many days readings are kept, 1 to 3 660; 400 by default.' }),
    reason: t.string({ required: true, description: reasonDescription }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

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

const successRef = (name: string, description: string) =>
  builder.objectRef<TenantChanged>(name).implement({
    description,
    fields: (t) => ({
      tenant: t.field({
        type: operatedTenantRef,
        description: 'The tenant as it is now.',
        async resolve({ tenantId }, _args, operation) {
          const tenant = await loadOperatedTenant(operation, tenantId);
          if (!tenant) throw new NotFoundFault('the tenant is gone');
          return tenant;
        },
      }),
    }),
  });

const resultRef = (name: string, description: string) =>
  builder.unionType(`${name}Result`, {
    description: `What came of it: ${description.charAt(0).toLowerCase()}${description.slice(1)} Or why not.`,
    types: [successRef(`${name}Success`, description), ...faults],
    resolveType: resultTypeOf(`${name}Success`),
  });

const createResult = resultRef('TenantCreate', 'The tenant exists and has nothing yet.');

builder.mutationField('tenantCreate', (t) =>
  t.field({
    type: createResult,
    description: 'Makes a tenant. For operators of the platform. Needs `platform.operate`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: tenantCreateInput, required: true, description: 'The tenant.' }) },
    resolve: (_root, { input }, operation) => createTenant(operation, input),
  }),
);

for (const { name, description, done, run } of steps) {
  const input = builder.inputType(`Tenant${name}Input`, {
    description: 'Which tenant, and why.',
    fields: (t) => ({
      slug: t.string({ required: true, description: 'Its slug.' }),
      reason: t.string({ required: true, description: reasonDescription }),
      clientMutationId: t.string({ description: mutationIdDescription }),
    }),
  });
  const type = resultRef(`Tenant${name}`, done);
  builder.mutationField(`tenant${name}`, (t) =>
    t.field({
      type,
      description: `${description} For operators of the platform. Needs \`platform.operate\`.`,
      complexity: MUTATION_COST,
      args: { input: t.arg({ type: input, required: true, description: 'Which tenant.' }) },
      resolve: (_root, args, operation) => run(operation, args.input),
    }),
  );
}
