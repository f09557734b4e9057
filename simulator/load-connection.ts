import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { buildTopic } from '#core/mqtt/topics.ts';

export interface LoadDevice {
  readonly tenant: string;
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

export interface LoadConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** The address to come from. Default: as the system chooses. */
  readonly localAddress?: string | undefined;
  readonly device: LoadDevice;
  /** QoS 1 messages without a PUBACK; beyond it nothing is sent. */
  readonly window: number;
  /** The payload of a message; `seq` counts from 1. */
  payload(seq: number): string;
  /** Called for each PUBACK, in order of the messages, with the time since the message was first sent, in ms. */
  onAcknowledged(waitedMs: number): void;
  onReconnect(): void;
}

/** Acknowledged messages that are remembered at most before the list is cut. */
const FORGET_AT = 256;
/** Where all connections read to. */
const READ_BUFFER = Buffer.allocUnsafeSlow(16 * 1024);

const RECONNECT_MIN_MS = 50;
const RECONNECT_JITTER_MS = 200;
const KEEPALIVE_S = 60;
const PING_EVERY_MS = 20_000;
const PINGREQ = Buffer.from([0xc0, 0]);

/**
 * One device of the load generator: sends bytes, not packets, and knows exactly which messages were acknowledged.
 * PUBACKs come in the order of the messages, so that is one number. After a broken connection everything without a
 * PUBACK goes out again, in order, marked as a duplicate.
 */
export class LoadConnection {
  readonly #options: LoadConnectionOptions;
  readonly #topic: Buffer;
  /** From `first` on: what is not acknowledged, and when it was first sent. */
  #waiting: Buffer[] = [];
  #sentAt: number[] = [];
  #first = 0;
  #sent = 0;
  #acknowledged = 0;
  #socket: Socket | undefined;
  #open = false;
  #stopped = false;
  #rest: Buffer | undefined;
  /** What `flush` writes: mostly one message. */
  #corked: Buffer | undefined;
  #more: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  /** Refused by the other side with this code; it then tries again as after any break. */
  refusedWith: number | undefined;
  outOfOrder = 0;

  constructor(options: LoadConnectionOptions) {
    this.#options = options;
    this.#topic = Buffer.from(buildTopic(options.device.tenant, options.device.key, 'telemetry'));
  }

  get device(): LoadDevice {
    return this.#options.device;
  }

  /** The messages numbered 1 to this were sent at least once. */
  get sent(): number {
    return this.#sent;
  }

  /** The messages numbered 1 to this were acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get connected(): boolean {
    return this.#open;
  }

  get hasRoom(): boolean {
    return this.#open && this.#sent - this.#acknowledged < this.#options.window;
  }

  /** May be called again after `stop`: the device goes on where it was. */
  start(): void {
    this.#stopped = false;
    this.#connect();
    this.#ping = setInterval(() => this.#open && this.#socket?.write(PINGREQ), PING_EVERY_MS);
  }

  /** Adds one message to what `flush` writes. */
  send(now: number): void {
    this.#sent += 1;
    const packet = this.#publish(this.#sent);
    this.#waiting.push(packet);
    this.#sentAt.push(now);
    if (this.#corked) this.#more.push(packet);
    else this.#corked = packet;
  }

  flush(): void {
    const first = this.#corked;
    if (!first) return;
    this.#corked = undefined;
    if (this.#open)
      this.#socket?.write(this.#more.length === 0 ? first : Buffer.concat([first, ...this.#more]));
    if (this.#more.length > 0) this.#more = [];
  }

  /** Says goodbye and ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.end(Buffer.from([0xe0, 0]));
    const patience = setTimeout(() => socket.destroy(), 1_000);
    await closed;
    clearTimeout(patience);
  }

  /** Breaks the connection without a word. */
  break(): void {
    this.#socket?.destroy();
  }

  #connect(): void {
    const { host, port, localAddress, device } = this.#options;
    const socket = connect({
      ...{ host, port, noDelay: true, ...(localAddress && { localAddress }) },
      onread: {
        buffer: READ_BUFFER,
        callback: (length) => {
          this.#read(READ_BUFFER.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#rest = undefined;
    socket.on('connect', () =>
      socket.write(
        generate({
          ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: KEEPALIVE_S },
          clientId: `load-${device.key}`,
          username: device.username,
          password: Buffer.from(device.password),
        }),
      ),
    );
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
  }

  #closed(): void {
    this.#open = false;
    this.#corked = undefined;
    this.#more = [];
    if (this.#stopped) return;
    this.#options.onReconnect();
    this.#timer = setTimeout(() => this.#connect(), RECONNECT_MIN_MS + Math.random() * RECONNECT_JITTER_MS);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    const now = performance.now();
    let at = 0;
    while (at + 2 <= bytes.length) {
      const end = at + 2 + (bytes[at + 1] ?? 0);
      if (end > bytes.length) break;
      const type = (bytes[at] ?? 0) >> 4;
      if (type === 4) this.#takeAcknowledgement(bytes.readUInt16BE(at + 2), now);
      else if (type === 2) this.#takeConnack(bytes[at + 3] ?? 255);
      at = end;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined;
  }

  #takeConnack(code: number): void {
    if (code !== 0) {
      this.refusedWith = code;
      return;
    }
    this.refusedWith = undefined;
    this.#open = true;
    const again: Buffer[] = [];
    for (let index = this.#first; index < this.#waiting.length; index++) {
      const packet = this.#waiting[index];
      if (!packet) continue;
      packet[0] = 0x3a;
      again.push(packet);
    }
    if (again.length > 0) this.#socket?.write(Buffer.concat(again));
  }

  #takeAcknowledgement(packetId: number, now: number): void {
    const expected = (this.#acknowledged % 65_535) + 1;
    if (packetId !== expected) {
      this.outOfOrder += 1;
      this.break();
      return;
    }
    this.#acknowledged += 1;
    const sentAt = this.#sentAt[this.#first];
    this.#first += 1;
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#sentAt.length = 0;
      this.#first = 0;
    } else if (this.#first > FORGET_AT && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#sentAt = this.#sentAt.slice(this.#first);
      this.#first = 0;
    }
    if (sentAt !== undefined) this.#options.onAcknowledged(now - sentAt);
  }

  #publish(seq: number): Buffer {
    const payload = this.#options.payload(seq);
    const length = 2 + this.#topic.length + 2 + payload.length;
    const lengthBytes = length < 128 ? 1 : 2;
    const packet = Buffer.allocUnsafe(1 + lengthBytes + length);
    packet[0] = 0x32;
    let at = 1;
    if (lengthBytes === 1) packet[at++] = length;
    else {
      packet[at++] = (length & 0x7f) | 0x80;
      packet[at++] = length >> 7;
    }
    at = packet.writeUInt16BE(this.#topic.length, at);
    at += this.#topic.copy(packet, at);
    at = packet.writeUInt16BE(((seq - 1) % 65_535) + 1, at);
    packet.write(payload, at, 'latin1');
    return packet;
  }
}
