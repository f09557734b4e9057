import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { seedTenant } from '#tests/kit/seed.ts';

const COUNTS = '{ messages bytes throttled refused }';
const QUERY = `query ($last: Int!) { viewer { tenant { usage { minute ${COUNTS} hour ${COUNTS} day ${COUNTS}
  minutes(last: $last) { from messages }
  limits { messagesPerSecond deviceMessagesPerSecond deviceConnectsPerSecond burstSeconds own } } } } }`;

describe('the usage of a tenant', () => {
  let api: TestApi;
  let keyA: string;
  let keyB: string;

  beforeAll(async () => {
    api = await openTestApi({ env: { LIMIT_DEVICE_MESSAGES_PER_SECOND: '7', LIMIT_BURST_SECONDS: '3' } });
    const { admin } = api.database;
    const [a, b] = [await seedTenant(admin, 'alpha'), await seedTenant(admin, 'bravo')];
    [keyA, keyB] = [await api.apiKey(a, 'VIEWER'), await api.apiKey(b, 'VIEWER')];
    const limits = { messagesPerSecond: 12.5, bytesPerSecond: -1, nonsense: 3 };
    await admin.query('update tenants set limits = $2 where id = $1', [a.id, JSON.stringify(limits)]);
    const sent = [
      [a.id, 0, 10, 1_000, 1, 2],
      [a.id, 5, 20, 5_000_000_000, 0, 0],
      [a.id, 59 + 30, 40, 4_000, 0, 1],
      [a.id, 60 * 24 + 5, 80, 8_000, 0, 0],
      [b.id, 0, 7, 7, 7, 7],
    ];
    for (const row of sent)
      await admin.query(
        `insert into tenant_usage values ($1, date_trunc('minute', now()) - $2 * interval '1 minute', $3, $4, $5, $6)`,
        row,
      );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const usageOf = async (key: string, last = 60) => {
    const { data, errors } = await api.ask(key, QUERY, { last });
    expect(errors).toEqual([]);
    return data.viewer.tenant.usage;
  };

  it('is added up over the present minute, an hour and a day, and shown minute by minute', async () => {
    const usage = await usageOf(keyA);
    // The minute may end between the rows and the question.
    expect([usage.minute.messages, usage.hour.messages, usage.day.messages]).toEqual([
      expect.toSatisfy((count: number) => count === 10 || count === 0),
      30,
      70,
    ]);
    expect(usage.day).toEqual({ messages: 70, bytes: 5_000_005_000, throttled: 1, refused: 3 });
    expect(usage.minutes).toHaveLength(60);
    const times = usage.minutes.map(({ from }: { from: string }) => Date.parse(from));
    expect(times.every((at: number, index: number) => index === 0 || at - times[index - 1] === 60_000)).toBe(
      true,
    );
    const counts = usage.minutes.map(({ messages }: { messages: number }) => messages);
    expect(counts.filter((count: number) => count > 0)).toEqual([20, 10]);
  });

  it('is bounded, however much is asked for', async () => {
    expect((await usageOf(keyA, 0)).minutes).toHaveLength(1);
    expect((await usageOf(keyA, 1_000_000)).minutes).toHaveLength(1_440);
  });

  it('comes with the limits: the plan’s, and what is written down for the tenant', async () => {
    expect((await usageOf(keyA)).limits).toEqual({
      ...{ messagesPerSecond: 12.5, deviceMessagesPerSecond: 7, deviceConnectsPerSecond: 5 },
      ...{ burstSeconds: 3, own: ['messagesPerSecond'] },
    });
  });

  it('is nobody else’s', async () => {
    const usage = await usageOf(keyB);
    expect(usage.day).toEqual({ messages: 7, bytes: 7, throttled: 7, refused: 7 });
    expect(usage.limits).toMatchObject({ messagesPerSecond: 50_000, own: [] });
  });
});
