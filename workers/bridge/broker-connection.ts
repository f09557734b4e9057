import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { AckQueue } from './ack-queue.ts';
import type { BrokerMessage } from './uplink.ts';

export interface BrokerConnectionOptions {
  readonly url: URL;
  /** PEM of the authority the broker is trusted by; the system's own when absent. */
  readonly ca: Buffer | undefined;
  readonly clientId: string;
  readonly filters: readonly string[];
  readonly receiveMaximum: number;
  readonly sessionExpiryS: number;
  readonly maxPacketBytes: number;
  readonly log: Logger;
  /**
   * Called for each message. With QoS 1 the broker has its PUBACK after `acknowledge` and after those of every message before;
   * with QoS 0 calling it does nothing. 0 is success, anything from 0x80 a refusal.
   */
  onMessage(message: BrokerMessage, acknowledge: (reasonCode: number) => void): void;
  onEnd(reason: string): void;
}

/** What a publish down to the broker asks for. */
export interface DownMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties?: NonNullable<IPublishPacket['properties']>;
}

const PROTOCOL = { protocolVersion: 5 } as const;
const KEEPALIVE_S = 30;
const HANDSHAKE_MS = 10_000;
const RECONNECT_MIN_MS = 200;
const RECONNECT_MAX_MS = 5_000;
/** Messages down without an answer; the broker's own receive maximum where that is less. */
const MAX_DOWN = 100;

/**
 * One MQTT 5 connection to an outside broker that comes back by itself, always to the same session. A client of our own,
 * because a PUBACK must wait for JetStream without holding up the messages behind it.
 */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions;
  readonly #down = new Map<number, (reasonCode: number | undefined) => void>();
  #socket: Socket | undefined;
  #acks: AckQueue | undefined;
  #subscribed = false;
  #paused = false;
  #stopped = false;
  #failures = 0;
  #maxDown = MAX_DOWN;
  #nextId = 1;
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
  }

  /** The broker hands messages to this connection. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  get unacknowledged(): number {
    return this.#acks?.waiting ?? 0;
  }

  start(): void {
    this.#connect();
    this.#ping = setInterval(() => this.#keepAlive(), (KEEPALIVE_S * 1000) / 3);
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#heardAt = Date.now();
    this.#socket?.resume();
  }

  /** Reads nothing more; what was read can still be acknowledged. */
  stopReading(): void {
    this.#stopped = true;
    this.pause();
  }

  /** Says goodbye; the broker keeps the session and what is not acknowledged. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#ping);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    // The broker's last words must be read, or its socket never sees the end of ours.
    socket.resume();
    socket.end(generate({ cmd: 'disconnect', reasonCode: 0 }, PROTOCOL));
    setTimeout(() => socket.destroy(), 500).unref();
  }

  /**
   * Publishes towards a device. Resolves with the broker's reason code, 0 at once for QoS 0, or undefined when it cannot
   * be told whether the broker has it: not connected, or the connection ended before the answer.
   */
  publish(message: DownMessage): Promise<number | undefined> {
    const socket = this.#socket;
    if (!socket || !this.#subscribed) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const packet = { cmd: 'publish', dup: false, ...message } as const;
    if (message.qos === 0) {
      socket.write(generate(packet, PROTOCOL), (error) => resolve(error ? undefined : 0));
      return promise;
    }
    if (this.#down.size >= this.#maxDown) return Promise.resolve(undefined);
    const messageId = this.#freeId();
    this.#down.set(messageId, resolve);
    socket.write(generate({ ...packet, messageId }, PROTOCOL));
    return promise;
  }

  #connect(): void {
    const { url, ca, receiveMaximum, sessionExpiryS, maxPacketBytes } = this.#options;
    const secure = url.protocol === 'mqtts:';
    const target = { host: url.hostname, port: Number(url.port) || (secure ? 8883 : 1883) };
    const socket = secure ? connectTls({ ...target, ...(ca && { ca }) }) : connectPlain(target);
    this.#socket = socket;
    socket.setNoDelay(true);
    let why = 'connection_lost';
    const end = (reason: string) => {
      why = reason;
      socket.destroy();
    };
    const handshake = setTimeout(() => end('handshake_timeout'), HANDSHAKE_MS);
    this.#acks = new AckQueue((bytes) => socket.write(bytes));
    const packets = parser(PROTOCOL);
    packets.on('packet', (packet) => {
      this.#heardAt = Date.now();
      if (packet.cmd === 'suback') clearTimeout(handshake);
      const failure = this.#take(packet, socket);
      if (failure !== undefined) end(failure);
    });
    packets.on('error', () => end('protocol_error'));
    socket.once(secure ? 'secureConnect' : 'connect', () =>
      socket.write(
        generate({
          ...{ cmd: 'connect', protocolId: 'MQTT', ...PROTOCOL, clean: false, keepalive: KEEPALIVE_S },
          clientId: this.#options.clientId,
          ...(url.username && { username: decodeURIComponent(url.username) }),
          ...(url.password && { password: Buffer.from(decodeURIComponent(url.password)) }),
          properties: {
            sessionExpiryInterval: sessionExpiryS,
            receiveMaximum,
            maximumPacketSize: maxPacketBytes,
          },
        }),
      ),
    );
    socket.on('data', (chunk: Buffer) => {
      try {
        packets.parse(chunk);
      } catch (error) {
        end('protocol_error');
        this.#options.log.error({ err: error }, 'the broker sent what is no MQTT');
      }
    });
    socket.on('error', (error) => {
      if (this.#failures === 0)
        this.#options.log.warn({ why: errorMessage(error) }, 'the broker is not reachable');
    });
    socket.once('close', () => {
      clearTimeout(handshake);
      this.#closed(why);
    });
  }

  /** Returns why the connection must end, where it must. */
  #take(packet: Packet, socket: Socket): string | undefined {
    switch (packet.cmd) {
      case 'connack':
        return this.#takeConnack(packet, socket);
      case 'suback': {
        const refused = packet.granted.find((code) => typeof code !== 'number' || code >= 0x80);
        if (refused !== undefined) return `subscription_refused_${String(refused)}`;
        this.#subscribed = true;
        this.#failures = 0;
        this.#options.log.info({ clientId: this.#options.clientId }, 'subscribed at the broker');
        return undefined;
      }
      case 'publish': {
        if (packet.qos === 2) return 'protocol_error';
        const acks = this.#acks;
        const acknowledge = packet.qos === 1 ? acks?.expect(packet.messageId ?? 0) : undefined;
        const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
        this.#options.onMessage(
          {
            ...{ topic: packet.topic, payload, dup: packet.dup },
            userProperties: packet.properties?.userProperties,
          },
          acknowledge ?? (() => undefined),
        );
        // Whatever else the parser still holds of the same bytes is read: pausing takes effect on the next.
        if (this.#paused) socket.pause();
        return undefined;
      }
      case 'puback':
        this.#settleDown(packet.messageId ?? 0, packet.reasonCode ?? 0);
        return undefined;
      case 'disconnect':
        return `broker_disconnect_${packet.reasonCode ?? 0}`;
      default:
        return undefined;
    }
  }

  #takeConnack(packet: Extract<Packet, { cmd: 'connack' }>, socket: Socket): string | undefined {
    const { reasonCode = 0, properties } = packet;
    if (reasonCode >= 0x80) return `refused_${reasonCode}`;
    if (properties?.sharedSubscriptionAvailable === false) return 'no_shared_subscriptions';
    this.#maxDown = Math.min(MAX_DOWN, properties?.receiveMaximum ?? MAX_DOWN);
    const subscriptions = this.#options.filters.map((topic) => ({ topic, qos: 1 as const, rh: 2 }));
    socket.write(generate({ cmd: 'subscribe', messageId: this.#freeId(), subscriptions }, PROTOCOL));
    return undefined;
  }

  #closed(reason: string): void {
    this.#subscribed = false;
    this.#acks?.close();
    for (const messageId of [...this.#down.keys()]) this.#settleDown(messageId, undefined);
    if (this.#stopped) return;
    this.#options.onEnd(reason);
    if (this.#failures === 0)
      this.#options.log.warn({ reason, clientId: this.#options.clientId }, 'connection to the broker ended');
    const pause = Math.min(RECONNECT_MIN_MS * 2 ** this.#failures, RECONNECT_MAX_MS);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#timer = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
  }

  #keepAlive(): void {
    if (!this.#subscribed) return;
    const silentMs = Date.now() - this.#heardAt;
    if (silentMs > KEEPALIVE_S * 1500 && !this.#paused) this.#socket?.destroy();
    else this.#socket?.write(generate({ cmd: 'pingreq' }, PROTOCOL));
  }

  #settleDown(messageId: number, reasonCode: number | undefined): void {
    this.#down.get(messageId)?.(reasonCode);
    this.#down.delete(messageId);
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#down.has(this.#nextId));
    return this.#nextId;
  }
}
