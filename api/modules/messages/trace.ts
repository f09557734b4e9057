import type { QuarantineRow } from '../quarantine/service.ts';
import type { ReadingRow } from '../telemetry/service.ts';
import type { DeadLetterRow } from './store.ts';

export type PartState =
  | 'IN_FLIGHT'
  | 'STORED'
  | 'DUPLICATE'
  | 'QUARANTINED'
  | 'DEAD_LETTERED'
  | 'SIGN_OF_LIFE';

/** One reading of a message, or the whole of it where it is no readings. */
export interface TracePart {
  readonly part: number;
  readonly state: PartState;
  readonly reading: ReadingRow | undefined;
  readonly quarantined: QuarantineRow | undefined;
  readonly deadLetter: DeadLetterRow | undefined;
}

/** The way of a message; what is not known any more, or not yet, is undefined. */
export interface Trace {
  readonly receipt: string | undefined;
  readonly deviceId: number | undefined;
  readonly deviceKey: string | undefined;
  readonly kind: string | undefined;
  readonly source: string | undefined;
  readonly receivedAt: Date | undefined;
  readonly framedAt: Date | undefined;
  readonly origin: string | undefined;
  readonly stream: string | undefined;
  readonly sequence: number | undefined;
  readonly streamedAt: Date | undefined;
  readonly worker: string | undefined;
  readonly storedAt: Date | undefined;
  readonly publishedAt: Date | undefined;
  readonly payload: Uint8Array | undefined;
  readonly parts: readonly TracePart[];
}
