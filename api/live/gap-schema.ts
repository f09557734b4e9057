import { builder } from '#api/graphql/builder.ts';
import type { StreamGap } from './gap.ts';

const streamGapReasonEnum = builder.enumType('StreamGapReason', {
  description: 'Why events were not delivered.',
  values: {
    RETENTION: { description: 'They are older than what the live stream keeps.' },
    SLOW_CONSUMER: {
      description: 'The subscriber read so slowly that the live stream has dropped them meanwhile.',
    },
    AUTHORIZATION: { description: 'The viewer was not allowed to see them at the time.' },
  },
});

export const streamGapRef = builder.objectRef<StreamGap>('StreamGap').implement({
  description:
    'Events between `from` and `to` were not delivered; what follows is complete again. Readings among them can be queried.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Resumes behind the gap; the same as `to`.' }),
    from: t.expose('from', {
      type: 'Cursor',
      nullable: true,
      description: 'Where the gap begins; null when unknown.',
    }),
    to: t.expose('to', { type: 'Cursor', description: 'Where the gap ends.' }),
    reason: t.field({ type: streamGapReasonEnum, description: 'Why.', resolve: ({ reason }) => reason }),
    missed: t.exposeInt('missed', {
      nullable: true,
      description:
        'About how many wanted readings were stored in that time; null where it cannot be counted.',
    }),
  }),
});
