import type { Operation } from '#api/graphql/context.ts';
import type { Position } from './cursor.ts';

/** Things as they are at a place on the stream: what a subscription begins with, and is told again behind a gap. */
export interface LiveSnapshot<Name extends string, Row> {
  readonly type: Name;
  readonly cursor: string;
  readonly rows: readonly Row[];
}

/** What a snapshot is, whole: its pieces, and where the stream goes on behind it. */
export interface SnapshotStart<Name extends string, Row> extends Position {
  readonly at: number;
  readonly pieces: readonly LiveSnapshot<Name, Row>[];
}

/** Things in one event; a larger snapshot comes in several. */
const PIECE_ROWS = 1_000;

/** Cuts a snapshot into events, at least one. Whoever comes back with the cursor of any but the last begins anew. */
export function cutSnapshot<Name extends string, Row>(
  { viewer, platform }: Operation,
  type: Name,
  { position, at, rows }: { readonly position: Position; readonly at: number; readonly rows: readonly Row[] },
): SnapshotStart<Name, Row> {
  const pieces: LiveSnapshot<Name, Row>[] = [];
  for (let begin = 0; begin === 0 || begin < rows.length; begin += PIECE_ROWS) {
    const isLast = begin + PIECE_ROWS >= rows.length;
    pieces.push({
      type,
      cursor: platform.live.sealCursor(viewer, position, at, !isLast),
      rows: rows.slice(begin, begin + PIECE_ROWS),
    });
  }
  return { ...position, at, pieces };
}
