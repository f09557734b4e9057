import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRig, type Rig } from '#tests/prove/rig.ts';
import { choose, killRound, type Outcome, pairs, pauseRound, RATE, singles } from '#tests/prove/rounds.ts';

/** Another selection of pairs for another seed; `npm run prove` runs them all. */
const SEED = Number(process.env['PROVE_SEED'] ?? 7);
/** With the bus away first, whatever the gateway acknowledges too early dies with it. */
const ALWAYS = pairs.filter(({ name }) => name === 'nats-server, then gateway');

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

function expectNothingLost(outcome: Outcome): void {
  const { acknowledged, stored, lost, doubled, mismeasured, missedLive, repeatedLive, gaps } = outcome;
  expect({ stored, lost, doubled, mismeasured, missedLive, repeatedLive, gaps }).toEqual({
    stored: acknowledged,
    ...{ lost: 0, doubled: 0, mismeasured: 0, missedLive: 0, repeatedLive: 0, gaps: 0 },
  });
  expect(acknowledged).toBe(rig.published);
  console.log(
    `${outcome.round}: ${outcome.publishedInRound} acknowledged, 0 lost, 0 doubled, all stored and seen ${Math.round(outcome.recoveredMs)} ms later`,
  );
}

describe(`every acknowledged message is stored once and reaches the subscriber once, ${RATE} a second`, () => {
  it.each([...singles, ...choose(pairs, 3, SEED), ...ALWAYS])('when $name is killed', async (round) =>
    expectNothingLost(await killRound(rig, round)),
  );

  it.each(['postgres', 'nats-server'] as const)('when %s does not answer for a while', async (victim) =>
    expectNothingLost(await pauseRound(rig, victim, 4_000)),
  );
});
