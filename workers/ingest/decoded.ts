import type { FrameItem } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import type { ReadingRow } from '#core/db/readings.ts';
import type { FrameToStore } from '#core/db/telemetry.ts';
import type { CommandAck } from '#core/fleet/command-acks.ts';
import type { ShadowReport } from '#core/fleet/shadow.ts';
import type { IngestRow } from './ingest-row.ts';

export type KnownDevice = DeviceIdentity & { readonly deviceId: NonNullable<DeviceIdentity['deviceId']> };

export const isKnown = (identity: DeviceIdentity): identity is KnownDevice => identity.deviceId !== null;

/** Something a device or its session did that is no reading: it becomes an event and no row. */
export interface Sign {
  readonly identity: KnownDevice;
  readonly at: number;
  readonly what:
    | { readonly kind: 'heartbeat' }
    | {
        readonly kind: 'session';
        readonly connection: 'ONLINE' | 'OFFLINE';
        readonly epoch?: string;
        readonly reason: string;
      };
}

/** What a device says it is. */
export interface ReportRow {
  readonly identity: KnownDevice;
  readonly item: FrameItem;
  readonly itemIndex: number;
  readonly report: ShadowReport;
}

/** What a device says of one of its commands. */
export interface AckRow {
  readonly identity: KnownDevice;
  readonly item: FrameItem;
  readonly itemIndex: number;
  /** Its entry in the frame's manifest. */
  readonly entry: number;
  readonly ack: CommandAck;
}

/** What whoever hands messages to devices says: the device has a command. */
export interface SentRow {
  readonly identity: KnownDevice;
  readonly commandId: string;
  /** In ms since the epoch. */
  readonly at: number;
}

export interface DecodedFrame extends FrameToStore<IngestRow> {
  readonly reports: readonly ReportRow[];
  readonly sents: readonly SentRow[];
  readonly acks: readonly AckRow[];
  readonly signs: readonly Sign[];
}

/** Where a frame lies on the stream, and who put it there. */
export type FramePlace = Pick<
  FrameToStore<ReadingRow>,
  'stream' | 'shard' | 'streamSequence' | 'streamedAt' | 'origin'
>;
