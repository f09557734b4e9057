import type { FrameItem } from '#core/bus/messages.ts';
import { shapeOf } from '#core/bus/telemetry-shapes.ts';
import type { ReadingRow } from '#core/db/readings.ts';
import type { JsonText } from '#core/fleet/json-text.ts';
import type { MessageId } from '#core/fleet/message-id.ts';
import type { MetricValue } from '#core/fleet/telemetry.ts';
import type { KnownDevice } from './decoded.ts';
import type { Measured } from './measure.ts';
import type { ScannedReading } from './message-reader.ts';

/** Where a reading is in its frame. */
export interface RowPlace extends Pick<ReadingRow, 'itemIndex' | 'slot'> {
  readonly part: number;
  /** Whether it is all that its message holds. */
  readonly whole: boolean;
}

/**
 * A reading as it is stored and told about, which remembers whom its event is about. Rows wait for the database by the thousand: what they
 * keep is copied by every collection, so they keep nothing of their message but its place in the frame.
 */
export class IngestRow implements ReadingRow, Measured, RowPlace {
  readonly identity: KnownDevice;
  readonly ts: number;
  readonly id: MessageId;
  readonly receivedAt: number;
  readonly lat: number | undefined;
  readonly lng: number | undefined;
  readonly dupPossible: boolean;
  readonly timeless: boolean;
  readonly metrics: JsonText;
  readonly shape: string;
  readonly flagsJson: string | undefined;
  readonly sentJson: string | undefined;
  readonly unmodelled: ReadonlyMap<string, MetricValue> | undefined;
  readonly itemIndex: number;
  readonly slot: number;
  readonly entry: number;
  readonly part: number;
  readonly whole: boolean;
  readonly replayOf: string | undefined;

  constructor(
    { receivedAt, replay }: Pick<FrameItem, 'receivedAt' | 'replay'>,
    identity: KnownDevice,
    reading: ScannedReading,
    measured: Measured,
    place: RowPlace,
    entry: number,
  ) {
    this.identity = identity;
    this.ts = reading.ts;
    this.id = reading.id;
    this.receivedAt = receivedAt;
    this.lat = reading.lat;
    this.lng = reading.lng;
    this.dupPossible = reading.dupPossible;
    this.timeless = reading.timeless;
    this.metrics = measured.metrics;
    this.shape = measured.shape;
    this.flagsJson = measured.flagsJson;
    this.sentJson = measured.sentJson;
    this.unmodelled = measured.unmodelled;
    this.itemIndex = place.itemIndex;
    this.slot = place.slot;
    this.entry = entry;
    this.part = place.part;
    this.whole = place.whole;
    this.replayOf = replay?.quarantineId;
  }

  get tenantId(): number {
    return this.identity.tenantId;
  }

  get deviceId(): number {
    return this.identity.deviceId;
  }

  /** The same reading with the values that the database has of it. */
  withStored({ metrics, flagsJson }: Pick<ReadingRow, 'metrics' | 'flagsJson'>): IngestRow {
    const { receivedAt, replayOf } = this;
    const replay = replayOf === undefined ? undefined : { quarantineId: replayOf, part: undefined };
    const shape = shapeOf(JSON.parse(metrics.toString()));
    return new IngestRow(
      { receivedAt, replay },
      this.identity,
      this,
      { metrics, flagsJson, shape },
      this,
      this.entry,
    );
  }
}
