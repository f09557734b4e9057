import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { badInput } from '#api/graphql/errors.ts';
import { MAX_PAGE } from '#api/graphql/paging.ts';
import type { AxesChange, Uptime } from '#core/fleet/availability.ts';
import { deviceRef } from '../devices/schema.ts';
import { completeDevice } from '../devices/service.ts';
import { connectivityEnum, credentialStateEnum, freshnessEnum } from '../presence/schema.ts';
import { type Availability, findAvailability, partsOf } from './service.ts';

const ratio = (share: number, { knownMs }: Uptime): number | null => (knownMs === 0 ? null : share / knownMs);

const changeRef = builder.objectRef<AxesChange>('AvailabilityChange').implement({
  description: 'What presence became at a moment.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When.', resolve: ({ at }) => at }),
    connection: t.field({
      type: connectivityEnum,
      description: 'Connection from then on.',
      resolve: ({ after }) => after.connection,
    }),
    freshness: t.field({
      type: freshnessEnum,
      description: 'Freshness from then on.',
      resolve: ({ after }) => after.freshness,
    }),
    credential: t.field({
      type: credentialStateEnum,
      description: 'Credential from then on.',
      resolve: ({ after }) => after.credential,
    }),
  }),
});

const partRef = builder.objectRef<Uptime & { readonly from: Date }>('AvailabilityPart').implement({
  description: 'One of the equal parts of a range.',
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', description: 'Where it begins.' }),
    uptimeRatio: t.float({
      nullable: true,
      description: 'As of the whole range; null when the part has no length.',
      resolve: (part) => ratio(part.upMs, part),
    }),
    freshRatio: t.float({
      nullable: true,
      description: 'As of the whole range; null when the part has no length.',
      resolve: (part) => ratio(part.freshMs, part),
    }),
  }),
});

const availabilityRef = builder.objectRef<Availability>('Availability').implement({
  description: 'How much a device was there in a range of time.',
  fields: (t) => ({
    from: t.expose('from', {
      type: 'DateTime',
      description: 'Begin of what is told: as asked, or the device’s creation if that was later.',
    }),
    to: t.expose('to', {
      type: 'DateTime',
      description: 'End of what is told: as asked, or now if that is earlier.',
    }),
    uptimeRatio: t.float({
      nullable: true,
      description:
        'Share of the time in which it was connected or, where no session says so, its data was fresh; 0 to 1. Null for an empty range.',
      resolve: ({ uptime }) => {
        const [whole] = uptime(1);
        return whole ? ratio(whole.upMs, whole) : null;
      },
    }),
    freshRatio: t.float({
      nullable: true,
      description: 'Share of the time in which its data was fresh; 0 to 1. Null for an empty range.',
      resolve: ({ uptime }) => {
        const [whole] = uptime(1);
        return whole ? ratio(whole.freshMs, whole) : null;
      },
    }),
    changeCount: t.int({
      description: 'How many changes there were.',
      resolve: ({ changes }) => changes.length,
    }),
    changes: t.field({
      type: [changeRef],
      description: 'The newest changes, newest first.',
      complexity: pageCost,
      args: {
        first: t.arg.int({ required: true, defaultValue: 25, description: 'How many at most; 1 to 100.' }),
      },
      resolve: ({ changes }, { first }) => {
        if (first < 1 || first > MAX_PAGE) throw badInput(`first must be from 1 to ${MAX_PAGE}`);
        return changes.slice(-first).reverse();
      },
    }),
    parts: t.field({
      type: [partRef],
      description: 'The range in equal parts, oldest first.',
      complexity: 10,
      args: { count: t.arg.int({ required: true, defaultValue: 48, description: 'How many; 1 to 500.' }) },
      resolve: (availability, { count }) => partsOf(availability, count),
    }),
  }),
});

builder.objectField(deviceRef, 'availability', (t) =>
  t.field({
    type: availabilityRef,
    description: 'How much it was there in a range of time, and how its presence changed. At most 400 days.',
    complexity: 10,
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: 'Begin, inclusive.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'End, exclusive.' }),
    },
    resolve: async (node, range, operation) =>
      findAvailability(operation, await completeDevice(operation, node), range),
  }),
);
