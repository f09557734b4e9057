import type { AuditFilter } from '../../generated/graphql.ts';
import { readList, type UrlCodec } from '../../ui/url-state.ts';

/** What the audit log shows, as the URL keeps it. Days are of the reader's zone, `to` is the last one shown. */
export type AuditView = {
  readonly actor: string;
  readonly target: string;
  readonly actions: readonly string[];
  readonly from: string;
  readonly to: string;
};

export const emptyAuditView: AuditView = { actor: '', target: '', actions: [], from: '', to: '' };

const dayMs = 86_400_000;
const readDay = (text: string | null): string =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : '';

export const auditViewCodec: UrlCodec<AuditView> = {
  parse: (params) => ({
    actor: params.get('actor') ?? '',
    target: params.get('target') ?? '',
    actions: readList(params, 'action'),
    from: readDay(params.get('from')),
    to: readDay(params.get('to')),
  }),
  format({ actor, target, actions, from, to }) {
    const entries = {
      actor: actor.trim(),
      target: target.trim(),
      action: [...actions].sort().join(','),
      from,
      to,
    };
    return new URLSearchParams(Object.entries(entries).filter(([, value]) => value !== ''));
  },
};

/** The API's filter for a view. */
export function toAuditFilter({ actor, target, actions, from, to }: AuditView): AuditFilter {
  return {
    ...(actor === '' ? {} : { actor }),
    ...(target === '' ? {} : { target }),
    ...(actions.length > 0 ? { actions: [...actions] } : {}),
    ...(from === '' ? {} : { from: new Date(`${from}T00:00:00`).toISOString() }),
    ...(to === '' ? {} : { to: new Date(Date.parse(`${to}T00:00:00`) + dayMs).toISOString() }),
  };
}
