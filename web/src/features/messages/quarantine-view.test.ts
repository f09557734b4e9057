import { describe, expect, it } from 'vitest';
import { quarantineViewCodec, toQuarantineFilter, toTargetFilter } from './quarantine-view.ts';

describe('the view of the quarantine', () => {
  it('is a link and comes back from it', () => {
    const view = { device: 'pump-1', reasons: ['BAD_JSON', 'TOO_OLD'], status: ['OPEN' as const] };
    const link = quarantineViewCodec.format(view);
    expect(link.toString()).toBe('device=pump-1&reason=BAD_JSON%2CTOO_OLD&status=open');
    expect(quarantineViewCodec.parse(link)).toEqual(view);
    expect(toQuarantineFilter(view)).toEqual({
      deviceKey: 'pump-1',
      reasons: view.reasons,
      status: ['OPEN'],
    });
    expect(toTargetFilter(view)).toEqual({ deviceKey: 'pump-1', reasons: view.reasons });
  });

  it('limits nothing where nothing is asked', () => {
    const view = quarantineViewCodec.parse(new URLSearchParams('status=nonsense'));
    expect(toQuarantineFilter(view)).toEqual({});
    expect(quarantineViewCodec.format(view).size).toBe(0);
  });
});
