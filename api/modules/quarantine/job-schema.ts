import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import type { JobOutcomes, QuarantineJobRow } from './jobs-store.ts';
import { findJob, listQuarantineJobs, outcomesOf } from './service.ts';

export const quarantineJobRef = builder.objectRef<QuarantineJobRow>('QuarantineJob');

export const replayOutcomeEnum = builder.enumType('ReplayOutcome', {
  description: 'How sending a message again ended.',
  values: {
    STORED: { description: 'It became a reading.' },
    DUPLICATE: { description: 'The reading was there already.' },
    QUARANTINED: { description: 'It was turned away again, and is in quarantine with its new reason.' },
    ACCEPTED: { description: 'A sign of life, which leaves no reading.' },
    DEAD_LETTERED: { description: 'Nobody could use it; it is among the dead letters.' },
  },
});

const actionEnum = builder.enumType('QuarantineAction', {
  description: 'What a job does with quarantined messages.',
  values: {
    REPLAY: { description: 'Sends them through the pipeline again.' },
    DISCARD: { description: 'Gives them up.' },
  },
});

const outcomesRef = builder.objectRef<JobOutcomes>('QuarantineJobOutcomes').implement({
  description: 'What became so far of the messages that a job sent again.',
  fields: (t) => ({
    stored: t.exposeInt('stored', { description: 'Became readings.' }),
    duplicate: t.exposeInt('duplicate', { description: 'Were there already.' }),
    quarantined: t.exposeInt('quarantined', { description: 'Were turned away again.' }),
    accepted: t.exposeInt('accepted', { description: 'Were signs of life.' }),
    deadLettered: t.exposeInt('deadLettered', { description: 'Are among the dead letters.' }),
    waiting: t.exposeInt('waiting', { description: 'Are on their way.' }),
  }),
});

builder.node(quarantineJobRef, {
  description: 'Quarantined messages that are being sent again or given up, a hundred at a time.',
  id: { resolve: (job) => job.id },
  loadWithoutCache: (id, operation) => findJob(operation, id),
  fields: (t) => ({
    action: t.field({ type: actionEnum, description: 'What it does.', resolve: (job) => job.action }),
    total: t.exposeInt('total', { description: 'How many messages it began with.' }),
    handled: t.exposeInt('handled', { description: 'How many it has sent or given up so far.' }),
    skipped: t.exposeInt('skipped', {
      description: 'How many it left as they were: somebody was faster, or the fix does not fit them.',
    }),
    outcomes: t.field({
      type: outcomesRef,
      description: 'What became of those that were sent again.',
      resolve: (job, _args, operation) => outcomesOf(operation, job),
    }),
    requestedBy: t.exposeString('requestedBy', { description: 'Who asked for it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it had handled all; null while it works.',
    }),
  }),
});

const jobConnectionRef = builder.connectionObject(
  { type: quarantineJobRef, name: 'QuarantineJobConnection', description: 'A page of jobs.' },
  { name: 'QuarantineJobEdge', description: 'A job in a page.' },
);

builder.queryField('quarantineJobs', (t) =>
  t.connection(
    {
      type: quarantineJobRef,
      description: 'What was done with quarantined messages, newest first. Kept for 90 days.',
      complexity: pageCost,
      resolve: (_root, page, operation) => listQuarantineJobs(operation, page),
    },
    jobConnectionRef,
  ),
);
