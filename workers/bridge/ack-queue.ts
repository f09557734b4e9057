import { generate } from 'mqtt-packet';

interface Expected {
  readonly messageId: number;
  reasonCode: number | undefined;
}

/**
 * The PUBACKs of one connection: each leaves when its own message and all before it have their answer, those of one turn of
 * the event loop in one write.
 */
export class AckQueue {
  readonly #write: (bytes: Buffer) => void;
  #expected: Expected[] = [];
  #first = 0;
  #scheduled = false;
  #closed = false;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  get waiting(): number {
    return this.#expected.length - this.#first;
  }

  /** A message to be acknowledged; call the function that is returned once, with its reason code. */
  expect(messageId: number): (reasonCode: number) => void {
    const entry: Expected = { messageId, reasonCode: undefined };
    this.#expected.push(entry);
    return (reasonCode) => {
      entry.reasonCode = reasonCode;
      if (this.#scheduled || this.#expected[this.#first] !== entry) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    };
  }

  /** The connection is gone: the broker sends again what is open. */
  close(): void {
    this.#closed = true;
    this.#expected = [];
    this.#first = 0;
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    const due: Buffer[] = [];
    for (let entry = this.#expected[this.#first]; entry; entry = this.#expected[this.#first]) {
      const { messageId, reasonCode } = entry;
      if (reasonCode === undefined) break;
      due.push(generate({ cmd: 'puback', messageId, reasonCode }, { protocolVersion: 5 }));
      this.#first += 1;
    }
    if (this.#first > 1_024) {
      this.#expected.splice(0, this.#first);
      this.#first = 0;
    }
    if (due.length > 0) this.#write(Buffer.concat(due));
  }
}
