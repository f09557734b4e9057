import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import WebSocket from 'ws';
import { uplinkTopics } from '#core/mqtt/topics.ts';
import { seedTenant } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import { judgeConservation } from './conserved.ts';
import { type Rig, VICTIMS } from './rig.ts';

export interface BadInputOutcome {
  readonly payloads: number;
  readonly bodies: number;
  readonly documents: number;
  readonly frames: number;
  /** The slowest answer to a request, in ms. */
  readonly slowestMs: number;
  /** What the platform made of the payloads. */
  readonly accepted: number;
  readonly stored: number;
  readonly quarantined: number;
  /** What should not have been, in words. */
  readonly findings: readonly string[];
}

/** What has hurt others before. */
const CORPUS: readonly string[] = [
  '',
  'null',
  '[]',
  '{}',
  '[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]',
  `${'['.repeat(8_000)}`,
  `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":1}}',
  '{"metrics":{"__proto__":1}}',
  '{"metrics":{"t":1e999}}',
  '{"metrics":{"t":-0}}',
  '{"metrics":{"t":NaN}}',
  '{"metrics":{"a\\u0000b":1}}',
  '{"metrics":{"t":"\\u0000"}}',
  '{"metrics":{"t":"\\ud800"}}',
  '{"ts":"9999999-01-01T00:00:00Z","metrics":{"t":1}}',
  '{"ts":-1,"metrics":{"t":1}}',
  '{"ts":1e308,"metrics":{"t":1}}',
  '{"seq":-1,"metrics":{"t":1}}',
  '{"seq":9007199254740993,"boot":65536,"metrics":{"t":1}}',
  '{"metrics":{"t":1},"metrics":{"t":2}}',
  '\ufeff{"t":1}',
  "{'t':1}",
  '{"t":1}{"t":2}',
  '{"t":1,}',
  '\u0000\u0001\u0002',
];

const scalar = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.string(),
  fc.constant(null),
  fc.jsonValue(),
);
const nearlyTelemetry = fc
  .record(
    {
      version: scalar,
      ts: scalar,
      seq: scalar,
      boot: scalar,
      metrics: fc.dictionary(fc.string(), scalar),
      lat: scalar,
      lng: scalar,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value) ?? '');
const valid =
  '{"version":"1","ts":1760000000,"seq":7,"metrics":{"temperature":21.5,"door":true,"state":"ok"}}';
/** A valid text with one piece cut out and another put in its place. */
const mutated = (text: string) =>
  fc
    .tuple(fc.nat(text.length), fc.nat(10), fc.string({ unit: 'binary', maxLength: 6 }))
    .map(([at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));

const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .oneof(
      fc.constantFrom(...CORPUS),
      nearlyTelemetry,
      mutated(valid),
      fc.json(),
      fc.array(nearlyTelemetry, { maxLength: 5 }).map((all) => `[${all.join(',')}]`),
    )
    .map((text) => Buffer.from(text)),
);
const QUERY =
  '{ devices(first: 2, where: { search: "a" }) { nodes { id key latest { metric value } } pageInfo { endCursor } } }';
const document = fc.oneof(
  mutated(QUERY),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '{'.repeat(3_000),
    `{${'a:viewer{name}'.repeat(50)}}`,
    `query ${'($a:Int)'.repeat(500)}{viewer{name}}`,
    'fragment F on Viewer { ...F } { viewer { ...F } }',
    'subscription { telemetry { __typename } }',
  ),
);
const frame = fc.oneof(
  fc.constantFrom(
    '{"type":"connection_init","payload":{"authorization":7}}',
    '{"type":"subscribe"}',
    '{"type":"ping"}',
    '{"type":"complete","id":"1"}',
    '{"id":"1","type":"subscribe","payload":{"query":"{"}}',
    '[]',
    'null',
  ),
  fc.json(),
  fc.string({ unit: 'binary' }),
);

const MAX_PAYLOAD = 16_384;
/** Longer than the API's own limit for an operation. */
const ANSWER_WITHIN_MS = 40_000;

/**
 * Sends rubbish to every door and counts what became of it. Every payload that was acknowledged must have an outcome, every
 * request an answer that blames its sender, and nobody may fall.
 * @param count of each kind; the same seed sends the same
 */
export async function proveBadInput(
  rig: Rig,
  tenant: string,
  seed: number,
  count: number,
): Promise<BadInputOutcome> {
  const sample = <Value>(arbitrary: fc.Arbitrary<Value>): Value[] =>
    fc.sample(arbitrary, { seed, numRuns: count });
  const findings: string[] = [];
  const restarts = VICTIMS.map((victim) => rig.victim(victim).restarts);
  const owner = await seedTenant(rig.database.admin, tenant);
  const device = await owner.device('fuzzer');
  const key = await owner.apiKey('ADMIN');
  const base = `http://127.0.0.1:${rig.processes.httpPort}`;
  let slowestMs = 0;

  const payloads = sample(payload).filter(({ length }) => length <= MAX_PAYLOAD);
  const topics = uplinkTopics(device.tenant, device.key).filter(({ leaf }) => leaf === 'telemetry');
  const client = await connectAsync(`mqtt://127.0.0.1:${rig.processes.mqttPort}`, {
    ...{ username: device.username, password: device.password, clientId: 'fuzzer' },
  });
  for (const [index, bytes] of payloads.entries()) {
    const { topic = '' } = topics[index % topics.length] ?? {};
    await client.publishAsync(topic, Buffer.from(bytes), { qos: 1 });
  }
  await client.endAsync();

  const request = async (path: string, body: BodyInit, headers: Record<string, string>) => {
    const began = performance.now();
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(`${base}${path}`, { method: 'POST', body, headers, signal });
    const endless = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const text = endless ? '' : await answer.text();
    if (endless) await answer.body?.cancel();
    slowestMs = Math.max(slowestMs, performance.now() - began);
    if (answer.status >= 500 || text.includes('"INTERNAL"')) {
      findings.push(`${path} answered ${answer.status} to ${JSON.stringify(String(body)).slice(0, 200)}`);
    }
    return answer.status;
  };
  const door = `/ingest/v1/tenant/${device.tenant}/device/${device.key}/telemetry`;
  const bodies = sample(payload);
  let taken = 0;
  for (const [index, bytes] of bodies.entries()) {
    const headers = { authorization: `Bearer ${device.password}`, 'content-type': 'application/json' };
    const path = index % 5 === 0 ? '/ingest/v1/batch' : door;
    if ((await request(path, Buffer.from(bytes), headers)) === 202) taken += 1;
  }
  const documents = sample(document);
  for (const query of documents) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    await request('/graphql', JSON.stringify({ query, variables: { a: query } }), headers);
  }
  const frames = sample(frame);
  for (const text of frames) await sendFrame(`${base.replace('http', 'ws')}/graphql`, key, text);

  await until(
    'every payload to have an outcome',
    async () => (await judgeConservation(rig)).tenants.every(({ inFlight }) => inFlight === 0),
    60_000,
  );
  const verdict = await judgeConservation(rig);
  findings.push(...verdict.differences);
  const own = verdict.tenants.find((each) => each.tenant === tenant);
  const { accepted = 0, stored = 0, quarantined = 0, difference = 0 } = own ?? {};
  if (accepted < payloads.length + taken)
    findings.push(`${payloads.length + taken} messages were acknowledged, ${accepted} accepted`);
  if (difference !== 0) findings.push(`${difference} accepted without an outcome`);
  for (const [index, victim] of VICTIMS.entries()) {
    if (rig.victim(victim).restarts !== restarts[index]) findings.push(`${victim} fell`);
  }
  return {
    ...{
      payloads: payloads.length,
      bodies: bodies.length,
      documents: documents.length,
      frames: frames.length,
    },
    ...{ slowestMs, accepted, stored, quarantined, findings },
  };
}

/** Sends one frame, half of them after a proper beginning; whatever comes of it, the socket is closed afterwards. */
async function sendFrame(url: string, key: string, text: string): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.on('open', () => {
      const begin = text.length % 2 === 0;
      if (begin)
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }));
      socket.send(text);
      setTimeout(() => socket.terminate(), 25);
    });
  });
}
