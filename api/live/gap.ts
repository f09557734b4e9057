import type { Operation } from '#api/graphql/context.ts';
import type { Gap } from './subscriber.ts';

/** What a subscriber is told when it may have missed something. */
export interface StreamGap {
  readonly type: 'StreamGap';
  readonly cursor: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason: 'RETENTION' | 'SLOW_CONSUMER' | 'AUTHORIZATION';
  readonly missed: number | null;
}

/** A gap as it is told. */
export function toGap(operation: Operation, gap: Gap, missed: number | null): StreamGap {
  const { viewer, platform } = operation;
  platform.live.metrics.gaps.inc({ reason: gap.reason });
  const to = platform.live.sealCursor(viewer, gap.to, gap.toAt);
  const from = platform.live.sealCursor(viewer, gap.from, gap.fromAt);
  return { type: 'StreamGap', cursor: to, from, to, reason: gap.reason, missed };
}
