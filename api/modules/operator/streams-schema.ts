import { builder } from '#api/graphql/builder.ts';
import type { ConsumerState, StreamState } from '#core/bus/stream-states.ts';
import type { Durability, GatewayRow, LeaseRow, ProcessBalanceRow } from './processes-store.ts';

const consumerRef = builder.objectRef<ConsumerState>('StreamConsumer').implement({
  description: 'Who reads a stream.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name on the bus.' }),
    durable: t.exposeBoolean('durable', {
      description: 'Whether it outlives its reader: the workers’ do, those of live subscriptions do not.',
    }),
    pending: t.exposeFloat('pending', {
      description: 'Messages it has not been given yet: how far it lags.',
    }),
    unacknowledged: t.exposeFloat('unacknowledged', {
      description: 'Messages it was given and has not answered for.',
    }),
    redelivered: t.exposeFloat('redelivered', {
      description: 'Of those, how many it was given more than once.',
    }),
    lastDeliveredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last given a message; null when never.',
      resolve: (consumer) => consumer.lastDeliveredAt ?? null,
    }),
  }),
});

export const streamRef = builder.objectRef<StreamState>('Stream').implement({
  description: 'A JetStream stream of the platform as it is now.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name, for example TELEMETRY.' }),
    messages: t.exposeFloat('messages', { description: 'Messages in it.' }),
    bytes: t.exposeFloat('bytes', { description: 'What they take on disk, in bytes.' }),
    firstSequence: t.exposeFloat('firstSequence', { description: 'Number of the oldest message.' }),
    lastSequence: t.exposeFloat('lastSequence', {
      description: 'Number of the newest message there ever was.',
    }),
    oldestAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the oldest message was stored, null when it is empty. On a work queue this is how far its worker is behind.',
      resolve: (stream) => stream.oldestAt ?? null,
    }),
    replicas: t.exposeInt('replicas', { description: 'Copies the bus keeps of each message.' }),
    storage: t.exposeString('storage', { description: '`file` or `memory`.' }),
    consumers: t.field({
      type: [consumerRef],
      description: 'Who reads it, by name; at most 256.',
      complexity: { field: 1, multiplier: 10 },
      resolve: (stream) => [...stream.consumers],
    }),
  }),
});

export const gatewayRef = builder.objectRef<GatewayRow>('OperatedGateway').implement({
  description: 'A gateway that devices are connected to.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name; each life of the process has another one.' }),
    sessions: t.exposeInt('sessions', { description: 'Devices connected to it.' }),
    leaseExpiresAt: t.field({
      type: 'DateTime',
      description: 'Renewed every 5 s; once it has passed, its sessions count as lost.',
      resolve: (gateway) => gateway.leaseExpiresAt,
    }),
  }),
});

export const processBalanceRef = builder.objectRef<ProcessBalanceRow>('ProcessBalance').implement({
  description:
    'What one process accepted from devices, and what became of it: `accepted = stored + duplicate + quarantined + deadLettered`. Counts readings of committed frames; what is in flight is not among them.',
  fields: (t) => ({
    process: t.exposeString('process', {
      nullable: true,
      description: 'The gateway, bridge or API that took the messages; null where that was not written down.',
    }),
    accepted: t.exposeFloat('accepted', { description: 'Readings taken.' }),
    stored: t.exposeFloat('stored', { description: 'Of these, new rows.' }),
    duplicate: t.exposeFloat('duplicate', { description: 'Of these, rows that were there already.' }),
    quarantined: t.exposeFloat('quarantined', { description: 'Of these, kept as not valid.' }),
    deadLettered: t.exposeFloat('deadLettered', { description: 'Of these, given up.' }),
  }),
});

export const leaseRef = builder.objectRef<LeaseRow>('WorkerLease').implement({
  description: 'Work that one process at a time does, and who does it.',
  fields: (t) => ({
    holder: t.exposeString('holder', { description: 'The process that leads.' }),
    names: t.exposeStringList('names', { description: 'What it leads in, for example `relay/3`.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When another may take over, unless the holder renews it.',
      resolve: (lease) => lease.expiresAt,
    }),
  }),
});

export const durabilityRef = builder.objectRef<Durability>('Durability').implement({
  description:
    'What really stands behind an acknowledgement, as the database says it. The bus says its part in `streams`.',
  fields: (t) => ({
    fsync: t.exposeBoolean('fsync', {
      description: 'Whether PostgreSQL makes sure that writes reach the disk.',
    }),
    synchronousCommit: t.exposeString('synchronousCommit', {
      description: 'What a commit waits for; anything but `off` survives a crash.',
    }),
    synchronousStandbys: t.exposeInt('synchronousStandbys', {
      description: 'Standby servers that confirm each commit.',
    }),
  }),
});
