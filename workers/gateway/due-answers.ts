import { acknowledgement, plainAcknowledgement } from './protocol/write-packets.ts';
import { refusalOf } from './refusals.ts';
import { PUBACK, type Uplink } from './uplink.ts';

/** So many answers are worth a write. */
const ENOUGH = 4;

/** The answers to PUBLISHes of one connection that are due and not on their way yet. */
export class DueAnswers {
  /** Packet id, first byte of the answer << 16, number of the refusal << 24. */
  readonly #due: number[] = [];
  #refusals = 0;
  #pressing = false;
  readonly #maxReasonBytes: number;

  /** @param maxReasonBytes the longest packet that says why a PUBLISH was refused; 0 for none */
  constructor(maxReasonBytes: number) {
    this.#maxReasonBytes = maxReasonBytes;
  }

  get size(): number {
    return this.#due.length;
  }

  /** Of these, the ones that refuse. */
  get refusals(): number {
    return this.#refusals;
  }

  /** There are enough of them, or the device cannot go on without one: they should wait for no more. */
  get pressing(): boolean {
    return this.#pressing;
  }

  add(uplink: Uplink): void {
    this.#due.push(uplink.packetId | (uplink.answer << 16) | (uplink.refusal << 24));
    if (uplink.refusal !== 0) this.#refusals += 1;
    if (this.#due.length >= ENOUGH || uplink.answer !== PUBACK || uplink.refusal !== 0) this.#pressing = true;
  }

  /** All of them, as they go to the device, in the order they were added. */
  take(): Buffer {
    const due = this.#due;
    let bytes: Buffer;
    if (this.#refusals > 0) bytes = Buffer.concat(due.map((entry) => this.#bytesOf(entry)));
    else {
      bytes = Buffer.allocUnsafe(due.length * 4);
      let at = 0;
      for (const entry of due) {
        bytes[at] = entry >> 16;
        bytes[at + 1] = 2;
        bytes[at + 2] = entry >> 8;
        bytes[at + 3] = entry;
        at += 4;
      }
    }
    this.#refusals = 0;
    this.#pressing = false;
    due.length = 0;
    return bytes;
  }

  #bytesOf(entry: number): Buffer {
    const header = (entry >> 16) & 0xff;
    const packetId = entry & 0xffff;
    const refusal = refusalOf(entry >> 24);
    if (!refusal) return plainAcknowledgement(header, packetId);
    const full = acknowledgement(header, packetId, refusal.reason, refusal.why);
    if (full.length <= this.#maxReasonBytes) return full;
    return acknowledgement(header, packetId, refusal.reason, undefined);
  }
}
