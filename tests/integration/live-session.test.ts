import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveClient } from '../../web/src/live/live-client.ts';
import { openTestApi, publishEvents, type TestApi } from '../kit/api.ts';
import { nextReading, TELEMETRY } from '../kit/live.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

describe('a session in the console', () => {
  let api: TestApi;
  let relay: TestProcesses;
  let acme: TenantSeed;
  let device: SeededDevice;
  let admin: string;

  beforeAll(async () => {
    api = await openTestApi();
    relay = await startProcesses({ database: api.database, natsUrl: api.nats.url, start: ['relay'] });
    acme = await seedTenant(api.database.admin, 'acme');
    device = await acme.device('pump');
    admin = await api.apiKey(acme);
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  /** The console's own live client, with tokens that live for so long. */
  const follow = async (subject: string, lifeSeconds: number) => {
    const newToken = () =>
      api.issuer.token({ tenant: 'acme', subject, roles: ['ENGINEER'], expiresInSeconds: lifeSeconds });
    let token = await newToken();
    const seen = { ids: [] as string[], refreshes: 0, phases: new Set<string>(), errors: [] as string[] };
    const client = createLiveClient({
      url: `${api.url.replace('http', 'ws')}/graphql`,
      accessToken: async () => token,
      async refreshToken() {
        seen.refreshes += 1;
        token = await newToken();
      },
    });
    client.onState(() => seen.phases.add(client.state().phase));
    const leave = client.subscribe(
      { query: TELEMETRY, variables: {} },
      {
        next({ data, errors }) {
          const event = data?.['telemetry'];
          if (typeof event === 'object' && event && 'messageId' in event)
            seen.ids.push(String(event.messageId));
          seen.errors.push(...errors.map(({ message }) => message));
        },
        error: ({ message }) => seen.errors.push(message),
      },
    );
    await until('the connection', () => seen.phases.has('connected'));
    return { seen, leave };
  };
  const publish = async (): Promise<string> => {
    const reading = nextReading(device);
    await publishEvents(api.bus, acme, { telemetry: [reading] });
    return reading.id;
  };

  it('outlives its tokens: each event comes once, in order, and nobody is told of a break', async () => {
    const { seen, leave } = await follow('ada', 4);
    try {
      const first = await publish();
      await until('the first reading', () => seen.ids.at(-1) === first);
      const sent = [...seen.ids];
      const giveUpAt = Date.now() + 60_000;
      while (seen.refreshes < 2 && Date.now() < giveUpAt) {
        sent.push(await publish());
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      sent.push(await publish());
      await until('the last reading', () => seen.ids.at(-1) === sent.at(-1));
      expect(seen.refreshes).toBeGreaterThanOrEqual(2);
      expect(seen.ids).toEqual(sent);
      expect(seen.errors).toEqual([]);
      expect(seen.phases).toEqual(new Set(['connected']));
    } finally {
      leave();
    }
  });

  it('goes on behind its last event when an admin gives the person another role', async () => {
    const { seen, leave } = await follow('eve', 600);
    try {
      const first = await publish();
      await until('the first reading', () => seen.ids.at(-1) === first);
      const sent = [...seen.ids];
      const { data } = await api.ask(admin, '{ members(where: { search: "eve" }) { nodes { id } } }');
      const lowering = api.ask(
        admin,
        'mutation ($id: ID!) { memberUpdate(input: { id: $id, role: VIEWER }) { __typename } }',
        { id: data.members.nodes[0].id },
      );
      const giveUpAt = Date.now() + 30_000;
      while (seen.refreshes < 1 && Date.now() < giveUpAt) sent.push(await publish());
      expect(seen.refreshes).toBeGreaterThanOrEqual(1);
      expect((await lowering).data.memberUpdate.__typename).toBe('MemberUpdateSuccess');
      sent.push(await publish());
      await until('the last reading', () => seen.ids.at(-1) === sent.at(-1));
      expect(seen.ids).toEqual(sent);
    } finally {
      leave();
    }
  });
});
