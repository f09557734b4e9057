import { describe, expect, it } from 'vitest';
import { credentialStateAt } from './credential-state.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;
const ending = (days: number, revoked = false) => ({ expiresAt: NOW + days * DAY, revoked });
const endless = { expiresAt: null, revoked: false };

describe('the state of a credential', () => {
  it.each([
    ['never had one', [], 'NONE', null],
    ['has one for ever', [endless, ending(1)], 'ACTIVE', null],
    ['has one for a year', [ending(365), ending(3)], 'ACTIVE', NOW + 335 * DAY],
    ['has one that ends soon', [ending(3), ending(29)], 'EXPIRING', NOW + 29 * DAY],
    ['has only old ones', [ending(-1)], 'REVOKED', null],
    ['has only revoked ones', [ending(365, true), { expiresAt: null, revoked: true }], 'REVOKED', null],
  ] as const)('of a device that %s', (_what, credentials, state, until) => {
    expect(credentialStateAt(NOW, credentials)).toEqual({ state, until });
  });

  it('is another one when it says that it will be', () => {
    const credentials = [ending(365)];
    const { until } = credentialStateAt(NOW, credentials);
    expect(credentialStateAt((until ?? 0) + 1, credentials).state).toBe('EXPIRING');
    expect(credentialStateAt(NOW + 365 * DAY, credentials).state).toBe('REVOKED');
  });
});
