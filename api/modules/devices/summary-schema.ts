import { builder } from '#api/graphql/builder.ts';
import { TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { type PresenceRollup, rollupFields } from '../presence/service.ts';
import { deviceFilterInput } from './filter-schema.ts';
import { summarizeFleet } from './summary.ts';

const summaryRef = builder.objectRef<PresenceRollup>('FleetSummary').implement({
  description: 'Devices counted on the three axes of presence: each device once on each.',
  fields: rollupFields,
});

builder.queryField('fleetSummary', (t) =>
  t.field({
    type: summaryRef,
    description:
      'The tenant’s devices by presence. Decommissioned ones are left out, unless the filter names statuses.',
    complexity: TOTAL_COUNT_COST,
    args: {
      where: t.arg({ type: deviceFilterInput, description: 'Which ones; all of them by default.' }),
    },
    resolve: (_root, { where }, operation) => summarizeFleet(operation, where ?? {}),
  }),
);
