import type { FrameItem } from './messages.ts';

/** An item of a frame that was read: its payload stays among the bytes of the frame until somebody asks for a view of it. */
export class FramedItem implements FrameItem {
  readonly tenant: string;
  readonly device: string;
  readonly kind: FrameItem['kind'];
  readonly dialect: FrameItem['dialect'];
  readonly source: FrameItem['source'];
  readonly dup: boolean;
  readonly receivedAt: number;
  readonly keyHash: Uint8Array | undefined;
  readonly replay: FrameItem['replay'];
  readonly userProperties: Uint8Array | undefined;
  readonly #frame: Uint8Array;
  readonly #from: number;
  readonly #to: number;

  constructor(item: Omit<FrameItem, 'payload'>, frame: Uint8Array, from: number, to: number) {
    this.tenant = item.tenant;
    this.device = item.device;
    this.kind = item.kind;
    this.dialect = item.dialect;
    this.source = item.source;
    this.dup = item.dup;
    this.receivedAt = item.receivedAt;
    this.keyHash = item.keyHash;
    this.replay = item.replay;
    this.userProperties = item.userProperties;
    this.#frame = frame;
    this.#from = from;
    this.#to = to;
  }

  /** A view of the frame, not a copy. */
  get payload(): Uint8Array {
    return this.#frame.subarray(this.#from, this.#to);
  }

  /** The bytes of the frame, and where its payload begins and ends among them. */
  get frame(): Uint8Array {
    return this.#frame;
  }

  get payloadFrom(): number {
    return this.#from;
  }

  get payloadTo(): number {
    return this.#to;
  }
}
