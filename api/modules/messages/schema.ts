import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { deviceRef } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { payloadRef, quarantinedMessageRef } from '../quarantine/schema.ts';
import { readingRef } from '../telemetry/schema.ts';
import { listDeadLetters, traceMessage } from './service.ts';
import type { DeadLetterRow } from './store.ts';
import type { Trace, TracePart } from './trace.ts';

const stateEnum = builder.enumType('MessageState', {
  description: 'Where a message, or one reading of it, is.',
  values: {
    IN_FLIGHT: { description: 'On the stream: durable, and not in the database yet.' },
    STORED: { description: 'A reading.' },
    DUPLICATE: { description: 'The reading was there already.' },
    QUARANTINED: { description: 'Turned away, with its bytes.' },
    DEAD_LETTERED: { description: 'Nobody could use it; its bytes are kept.' },
    SIGN_OF_LIFE: {
      description:
        'A heartbeat, a status, a session, a report or the acknowledgement of a command: it became an event and is no reading.',
    },
  },
});

const deadLetterRef = builder.objectRef<DeadLetterRow>('GivenUpMessage').implement({
  description: 'A message that nobody could use, with its bytes.',
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, unique across all types.',
      resolve: ({ id }) => encodeGlobalId('GivenUpMessage', id),
    }),
    receipt: t.string({
      nullable: true,
      description: 'By which it is known on its way: `{batchId}.{index}`.',
      resolve: ({ batchId, index }) => (batchId === null ? null : `${batchId}.${index}`),
    }),
    deviceKey: t.exposeString('deviceKey', { nullable: true, description: 'The key it was sent under.' }),
    reason: t.exposeString('reason', { description: 'Why it was given up.' }),
    stream: t.exposeString('stream', { description: 'The stream it lay on.' }),
    sequence: t.exposeFloat('sequence', { description: 'Its place on the stream.' }),
    at: t.field({ type: 'DateTime', description: 'When it was given up.', resolve: (row) => row.createdAt }),
    payload: t.field({
      type: payloadRef,
      description: 'The message as it came.',
      resolve: ({ payload }) => ({ bytes: payload }),
    }),
  }),
});

const partRef = builder.objectRef<TracePart>('MessagePart').implement({
  description: 'What became of one reading of a message, or of the whole of it.',
  fields: (t) => ({
    part: t.exposeInt('part', { description: 'Which reading of the message, from 0.' }),
    state: t.field({ type: stateEnum, description: 'Where it is.', resolve: ({ state }) => state }),
    reading: t.field({
      type: readingRef,
      nullable: true,
      description:
        'The row; for a duplicate the one that was there, where it was measured within a day of its arrival. Null when it has expired.',
      resolve: ({ reading }) => reading,
    }),
    quarantined: t.field({
      type: quarantinedMessageRef,
      nullable: true,
      description: 'Why it was turned away. Null when that has expired.',
      resolve: ({ quarantined }) => quarantined,
    }),
    deadLetter: t.field({
      type: deadLetterRef,
      nullable: true,
      description: 'Why it was given up. Null when that has expired.',
      resolve: ({ deadLetter }) => deadLetter,
    }),
  }),
});

const traceRef = builder.objectRef<Trace>('MessageTrace').implement({
  description:
    'The way of a message through the platform. Where it has been is kept for about seven days; after that only its rows are known.',
  fields: (t) => ({
    receipt: t.exposeString('receipt', {
      nullable: true,
      description: 'By which it is known on its way: `{batchId}.{index}`.',
    }),
    device: t.field({
      type: deviceRef,
      nullable: true,
      description: 'Who sent it; null when it is not known to ingest yet, or no device.',
      resolve: async ({ deviceId }, _args, operation) =>
        deviceId === undefined ? null : findDevice(operation, deviceId),
    }),
    deviceKey: t.string({
      nullable: true,
      description: 'The key it was sent under.',
      resolve: async ({ deviceId, deviceKey }, _args, operation) =>
        deviceKey ?? (deviceId === undefined ? null : (await findDevice(operation, deviceId))?.key),
    }),
    kind: t.exposeString('kind', { nullable: true, description: 'telemetry, heartbeat, status, …' }),
    source: t.exposeString('source', {
      nullable: true,
      description: 'By which door it came: mqtt, http or bridge.',
    }),
    receivedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it arrived at the gateway; null for a duplicate and a sign of life, see `framedAt`.',
      resolve: (trace) => trace.receivedAt,
    }),
    framedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the frame that carries it was begun, a few milliseconds before or after it arrived.',
      resolve: (trace) => trace.framedAt,
    }),
    origin: t.exposeString('origin', {
      nullable: true,
      description:
        'Which gateway, bridge or API process put it on the stream; the relay for what is sent again.',
    }),
    stream: t.exposeString('stream', {
      nullable: true,
      description: 'The stream of its frame: TELEMETRY, SHADOW or COMMANDS.',
    }),
    sequence: t.exposeFloat('sequence', {
      nullable: true,
      description: 'Sequence of its frame on the stream.',
    }),
    streamedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the stream had it: the device was acknowledged after that.',
      resolve: (trace) => trace.streamedAt,
    }),
    worker: t.exposeString('worker', { nullable: true, description: 'Which ingest process committed it.' }),
    storedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was committed; null while it is in flight.',
      resolve: (trace) => trace.storedAt,
    }),
    publishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its events were on their way to subscribers.',
      resolve: (trace) => trace.publishedAt,
    }),
    payload: t.field({
      type: payloadRef,
      nullable: true,
      description: 'The bytes, while it is in flight, in quarantine or a dead letter.',
      resolve: ({ payload }) => payload && { bytes: Buffer.from(payload) },
    }),
    parts: t.field({
      type: [partRef],
      description: 'What became of each of its readings, in their order.',
      resolve: ({ parts }) => [...parts],
    }),
  }),
});

const deadLetterConnectionRef = builder.connectionObject(
  { type: deadLetterRef, name: 'GivenUpMessageConnection', description: 'A page of dead letters.' },
  { name: 'GivenUpMessageEdge', description: 'A dead letter in a page.' },
);

builder.queryFields((t) => ({
  message: t.field({
    type: traceRef,
    nullable: true,
    description: 'Where a message is. Null when the tenant has none by that name.',
    complexity: 20,
    args: {
      id: t.arg.string({
        required: true,
        description:
          'A receipt (`{batchId}.{index}`, as the HTTP door answers and logs say), the id of a reading or of a quarantined message, or a message id, then with `device`.',
      }),
      device: t.arg.string({
        description:
          'Key of the device, for a message id; it is looked for among the readings of the last 31 days and what is in flight.',
      }),
    },
    resolve: (_root, { id, device }, operation) => traceMessage(operation, id, device),
  }),
  deadLetters: t.connection(
    {
      type: deadLetterRef,
      description: 'Messages of the tenant that nobody could use, newest first.',
      complexity: pageCost,
      resolve: (_root, page, operation) => listDeadLetters(operation, page),
    },
    deadLetterConnectionRef,
  ),
}));
