import { afterAll, beforeAll, expect, it } from 'vitest';
import { benchAttack } from '#bench/attack.ts';
import { type GatewaySetup, setUpGateway } from './gateway-setup.ts';

let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const GUESSES = 10_000;

it('lets every device in, hardly later, while ten thousand passwords are guessed from the same address', async () => {
  const devices = await gateway.acme.devices(200);
  const options = { guesses: GUESSES, seconds: 6, rounds: 1 };
  const result = await benchAttack(gateway.url, devices, options, () => undefined);
  const [[quiet], [attacked], [report]] = [result.quiet, result.attacked, result.reports];
  expect(quiet).toMatchObject({ connected: 200, refused: 0 });
  expect(attacked).toMatchObject({ connected: 200, refused: 0 });
  // The figure is `npm run bench attack`; this machine may be doing other things. One guess after the other would take seconds.
  expect(attacked?.p50).toBeLessThan(5 * (quiet?.p50 ?? 0) + 2_000);
  expect(report?.codes).toEqual({ 4: GUESSES });
  expect(report?.longestMs).toBeGreaterThan(1_000);
  expect(await gateway.metric('connects_total{outcome="bad_credentials"}')).toBe(GUESSES);
  expect(await gateway.metric('connects_total{outcome="accepted"}')).toBe(600);
});

it('asked the database about those guesses in few questions', async () => {
  const { rows } = await gateway.database.admin.query<{ calls: number }>(
    `select xact_commit::int as calls from pg_stat_database where datname = current_database()`,
  );
  expect(rows[0]?.calls).toBeLessThan(GUESSES / 2);
});
