import type { Bundled } from '#api/graphql/bundles.ts';
import type { Operation } from '#api/graphql/context.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import { abortable } from './abortable.ts';
import { untilCredentialEnds } from './credential-end.ts';
import { WHOLE } from './cursor.ts';
import type { LiveEvent, LiveFilter, LiveKind } from './filter.ts';
import { type StreamGap, toGap } from './gap.ts';
import { cutSnapshot, type LiveSnapshot } from './snapshot.ts';

/** Something has changed. */
export interface LiveChange<Name extends string, Event> {
  readonly type: Name;
  readonly cursor: string;
  readonly event: Event;
}

/** What is followed: things, each event telling of one of them. */
export interface Followed<Snapshot extends string, Row, Change extends string, Event extends LiveEvent> {
  readonly kind: LiveKind;
  readonly filter: LiveFilter;
  /** Continue behind this cursor, without a snapshot. */
  readonly after: string | null | undefined;
  /** Names of the GraphQL types. */
  readonly names: { readonly snapshot: Snapshot; readonly change: Change };
  /** All that is wanted, as it is now. */
  readonly readRows: () => Promise<readonly Row[]>;
  /** Asked of events that the filter lets through. */
  readonly isWanted: (event: LiveEvent) => event is Event;
}

/** What following delivers. */
type Followable<Snapshot extends string, Row, Change extends string, Event extends LiveEvent> =
  | LiveSnapshot<Snapshot, Row>
  | LiveChange<Change, Event>
  | StreamGap;

/**
 * Follows changes: without `after` behind a snapshot. That is read after its place on the stream is known, so a change that it
 * shows already may come again; whatever follows is for events that say a whole state or a version. Never ends by itself.
 * @throws AuthenticationError when the viewer's credential has ended
 */
export function followChanges<Snapshot extends string, Row, Change extends string, Event extends LiveEvent>(
  operation: Operation,
  followed: Followed<Snapshot, Row, Change, Event>,
): Bundled<Followable<Snapshot, Row, Change, Event>> {
  const { kind, filter, after, names, isWanted } = followed;
  const { live } = operation.platform;
  const resumed = after == null ? undefined : live.openCursor(operation.viewer, after);
  const readSnapshot = async () => {
    const at = Date.now();
    const { created, last } = await live.streamState();
    const position = { created, sequence: last, index: WHOLE };
    return cutSnapshot(operation, names.snapshot, { position, at, rows: await followed.readRows() });
  };
  type Told = Followable<Snapshot, Row, Change, Event>;
  return abortable<Told>(async function* (signal) {
    let start = resumed?.partial ? undefined : resumed;
    if (!start) {
      const snapshot = await readSnapshot();
      start = { ...snapshot, tenantId: 0, shard: 0, partial: false };
      for (const piece of snapshot.pieces) yield [piece];
    }
    const deliveries = live.deliver({
      ...{ tenant: operation.viewer, kind, filter, from: start, fromAt: start.at },
      signal: untilCredentialEnds(operation, signal),
    });
    for await (const bundle of deliveries) {
      const told: Told[] = [];
      for (const delivery of bundle) {
        if (delivery.type === 'gap') {
          told.push(toGap(operation, delivery, null));
          told.push(...(await readSnapshot()).pieces);
        } else if (isWanted(delivery.event)) {
          const { entry, part, index, event } = delivery;
          told.push({ type: names.change, cursor: entry.cursor(part, index), event });
        }
      }
      if (told.length > 0) yield told;
    }
    if (!signal.aborted) throw new AuthenticationError('expired', 'the credential has expired');
  }, operation.signal);
}
