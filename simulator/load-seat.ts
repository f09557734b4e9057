import type { LoadConnection, LoadDevice } from './load-connection.ts';

/**
 * One connection at a time, for one device or for several that take turns. A device that has sent its share leaves when all
 * of it is acknowledged.
 */
export class LoadSeat {
  readonly #devices: readonly LoadDevice[];
  #share: number;
  readonly #connect: (device: LoadDevice, onAcknowledged: () => void) => LoadConnection;
  readonly #known = new Map<LoadDevice, LoadConnection>();
  #turn = 0;
  #left: number;
  #isEnded = false;
  #present: LoadConnection;

  constructor(
    devices: readonly LoadDevice[],
    share: number,
    connect: (device: LoadDevice, onAcknowledged: () => void) => LoadConnection,
  ) {
    this.#devices = devices;
    this.#share = share;
    this.#left = share;
    this.#connect = connect;
    this.#present = this.#connectionOf(0);
  }

  get present(): LoadConnection {
    return this.#present;
  }

  /** Whether each of its devices has had a turn. */
  get hasGoneRound(): boolean {
    return this.#turn >= this.#devices.length;
  }

  /** From now on a turn is so many messages. Only while everything that was sent is acknowledged. */
  set share(messages: number) {
    this.#share = messages;
    this.#left = messages;
  }

  /** Of every device that has had a turn. */
  get connections(): Iterable<LoadConnection> {
    return this.#known.values();
  }

  start(): void {
    this.#present.start();
  }

  /** Who may send one message now. */
  take(): LoadConnection | undefined {
    if (this.#left === 0 || !this.#present.hasRoom) return undefined;
    this.#left -= 1;
    return this.#present;
  }

  async stop(): Promise<void> {
    this.#isEnded = true;
    await this.#present.stop();
  }

  #connectionOf(turn: number): LoadConnection {
    const device = this.#devices[turn % this.#devices.length];
    if (!device) throw new Error('a seat needs a device');
    const known = this.#known.get(device);
    if (known) return known;
    const made = this.#connect(device, () => this.#changeOver());
    this.#known.set(device, made);
    return made;
  }

  #changeOver(): void {
    const leaving = this.#present;
    if (this.#left > 0 || leaving.acknowledged < leaving.sent) return;
    this.#turn += 1;
    this.#left = this.#share;
    this.#present = this.#connectionOf(this.#turn);
    if (this.#present === leaving) {
      void this.#comeAgain(leaving);
      return;
    }
    void leaving.stop();
    this.#present.start();
  }

  /** The only device of its seat leaves and comes back. */
  async #comeAgain(device: LoadConnection): Promise<void> {
    await device.stop();
    if (!this.#isEnded) device.start();
  }
}
