import { describe, expect, it } from 'vitest';
import { auditViewCodec, emptyAuditView, toAuditFilter } from './audit-view.ts';

describe('the view of the audit log', () => {
  it('survives the URL, and leaves out what it does not understand', () => {
    const view = {
      actor: 'ada',
      target: 'pump',
      actions: ['deviceUpdate'],
      from: '2026-01-02',
      to: '2026-01-03',
    };
    expect(auditViewCodec.parse(auditViewCodec.format(view))).toEqual(view);
    expect(auditViewCodec.parse(new URLSearchParams('from=yesterday&to=2026-13-45&x=1'))).toEqual(
      emptyAuditView,
    );
    expect(auditViewCodec.format(emptyAuditView).size).toBe(0);
  });

  it('asks for whole days, the last one included', () => {
    const { from, to } = toAuditFilter({ ...emptyAuditView, from: '2026-01-02', to: '2026-01-02' });
    expect(Date.parse(String(to)) - Date.parse(String(from))).toBe(86_400_000);
    expect(toAuditFilter(emptyAuditView)).toEqual({});
  });
});
