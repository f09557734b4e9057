import type { UrlCodec } from '../../ui/url-state.ts';

/** Ranges that end now and keep moving. */
export const spans = [
  { key: '15m', label: '15 min', ms: 900_000 },
  { key: '1h', label: '1 h', ms: 3_600_000 },
  { key: '6h', label: '6 h', ms: 21_600_000 },
  { key: '24h', label: '24 h', ms: 86_400_000 },
  { key: '7d', label: '7 d', ms: 604_800_000 },
  { key: '30d', label: '30 d', ms: 2_592_000_000 },
] as const;

export type Span = (typeof spans)[number];

/** Either the last so-and-so long, live, or two fixed instants in ms. */
export type TimeRange =
  | { readonly kind: 'live'; readonly span: Span }
  | { readonly kind: 'fixed'; readonly fromMs: number; readonly toMs: number };

const defaultSpan: Span = spans[1];
/** Zooming in further than this shows nothing more. */
const shortestMs = 1_000;

/** `?range=6h`, or `?from=2026-01-31T08:00:00.000Z&to=2026-01-31T09:30:00.000Z`. */
export const timeRangeCodec: UrlCodec<TimeRange> = {
  parse(params) {
    const fromMs = Date.parse(params.get('from') ?? '');
    const toMs = Date.parse(params.get('to') ?? '');
    if (toMs - fromMs >= shortestMs) return { kind: 'fixed', fromMs, toMs };
    return { kind: 'live', span: spans.find(({ key }) => key === params.get('range')) ?? defaultSpan };
  },
  format(range) {
    if (range.kind === 'fixed') {
      return new URLSearchParams({
        from: new Date(range.fromMs).toISOString(),
        to: new Date(range.toMs).toISOString(),
      });
    }
    return new URLSearchParams(range.span === defaultSpan ? {} : { range: range.span.key });
  },
};

/** The fixed range between two instants, whichever comes first, at least one second long. */
export function fixedRange(aMs: number, bMs: number): TimeRange {
  const fromMs = Math.round(Math.min(aMs, bMs));
  return { kind: 'fixed', fromMs, toMs: Math.max(Math.round(Math.max(aMs, bMs)), fromMs + shortestMs) };
}

/** The instants a range covers at `nowMs`. */
export function boundsOf(
  range: TimeRange,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  return range.kind === 'fixed' ? range : { fromMs: nowMs - range.span.ms, toMs: nowMs };
}
