import { builder } from '#api/graphql/builder.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { tenantRef } from '../tenants/schema.ts';
import { type Conservation, conservationOf } from './service.ts';
import type { DayFates } from './store.ts';

const dayRef = builder.objectRef<DayFates>('ConservationDay').implement({
  description: 'What became of the readings that were committed on one day.',
  fields: (t) => ({
    day: t.exposeString('day', { description: 'The day, UTC, as YYYY-MM-DD.' }),
    accepted: t.exposeFloat('accepted', { description: 'All of them.' }),
    stored: t.exposeFloat('stored', { description: 'Became a row.' }),
    duplicate: t.exposeFloat('duplicate', { description: 'Were there already.' }),
    quarantined: t.exposeFloat('quarantined', { description: 'Were turned away, with their bytes.' }),
    deadLettered: t.exposeFloat('deadLettered', { description: 'Could be used by nobody.' }),
  }),
});

const conservationRef = builder.objectRef<Conservation>('TenantConservation').implement({
  description:
    'Where everything is that was acknowledged to devices, counted in readings (a message that cannot be read is one): accepted = stored + duplicate + quarantined + deadLettered + inFlight. From committed frames and the stream.',
  fields: (t) => ({
    accepted: t.exposeFloat('accepted', { description: 'Acknowledged.' }),
    stored: t.exposeFloat('stored', { description: 'Became a row, also when that has expired since.' }),
    duplicate: t.exposeFloat('duplicate', { description: 'Were there already.' }),
    quarantined: t.exposeFloat('quarantined', {
      description: 'Were turned away, with their bytes. What is sent again is accepted again.',
    }),
    deadLettered: t.exposeFloat('deadLettered', { description: 'Could be used by nobody.' }),
    inFlight: t.exposeFloat('inFlight', { description: 'Lie on the stream and are not committed.' }),
    complete: t.exposeBoolean('complete', {
      description:
        'False when more is in flight than can be looked at: accepted and inFlight are at least what they say.',
    }),
    difference: t.exposeFloat('difference', {
      description: 'What has no place. Anything but 0 is a fault of ours.',
    }),
    days: t.field({
      type: [dayRef],
      description: 'By the day in which it was committed, oldest first. The newest by default.',
      complexity: { field: 1, multiplier: 10 },
      args: {
        last: t.arg.int({
          required: true,
          defaultValue: 30,
          description: 'How many of the newest; 1 to 400.',
        }),
      },
      resolve: ({ days }, { last }) => days.slice(-Math.min(Math.max(1, last), 400)),
    }),
  }),
});

builder.objectField(tenantRef, 'conservation', (t) =>
  t.field({
    type: conservationRef,
    description: 'Where everything is that was acknowledged to the devices of this tenant.',
    complexity: 50,
    resolve(tenant, _args, operation) {
      if (tenant.id !== operation.viewer.tenantId) throw new NotFoundFault('there is no such tenant');
      return conservationOf(operation);
    },
  }),
);
