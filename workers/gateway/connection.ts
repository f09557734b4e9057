import { TLSSocket } from 'node:tls';
import { generate } from 'mqtt-packet';
import { PROVISION_TOKEN_MARKER } from '#core/fleet/provision-token.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import type { ConnectionContext } from './connection-context.ts';
import { DownlinkSession } from './downlink-session.ts';
import { type Admission, connack, Rejection } from './handshake.ts';
import type { Pausable } from './intake.ts';
import type { CloseReason, Refusal } from './metrics.ts';
import { PACKET, parsePacket } from './packet-parser.ts';
import { PacketError, PacketReader } from './packet-reader.ts';
import { announceConnected, announceGone } from './session-events.ts';
import type { Held } from './sessions.ts';
import type { Transport } from './transport.ts';
import { UplinkLane } from './uplink-lane.ts';
import type { Writer } from './write-queue.ts';

/** A packet may be this much longer than its payload: topic, packet id, and of a CONNECT the credentials. */
const PACKET_OVERHEAD = 2_048;
/** A device that does not read what it is sent. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** How long the last bytes of a closed connection may take. */
const CLOSING_MS = 5_000;
const CONNECT_HEADER = PACKET.CONNECT << 4;
const PINGRESP = Buffer.from([0xd0, 0]);

/** Why a socket is not read at present; several may hold at once. */
const HOLD = { HANDSHAKE: 1, WINDOW: 2, CONGESTION: 4, STOPPING: 8 } as const;

/** One socket from its first byte to its last. */
export class Connection implements Pausable, Writer {
  readonly #socket: Transport;
  readonly #context: ConnectionContext;
  readonly #reader: PacketReader;
  readonly #openedAt = Date.now();
  readonly #remote: string;
  #heardAt = this.#openedAt;
  #holds = 0;
  #began = false;
  #greeted = false;
  #session: { held: Held; lane: UplinkLane } | undefined;
  #closedAt: number | undefined;

  constructor(socket: Transport, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#remote = socket.remoteAddress ?? '';
    this.#reader = new PacketReader(context.limits.maxPayloadBytes + PACKET_OVERHEAD, PROVISION_TOKEN_MARKER);
  }

  /** Begins to read. */
  open(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', () => this.close('connection_lost'));
    socket.on('end', () => this.close('connection_lost'));
    socket.on('close', () => this.close('connection_lost'));
  }

  get paused(): boolean {
    return (this.#holds & (HOLD.WINDOW | HOLD.CONGESTION)) !== 0;
  }

  /** QoS 1 messages that the bus has not answered. */
  get inflight(): number {
    return this.#session?.lane.inflight ?? 0;
  }

  pause(): void {
    this.#hold(HOLD.CONGESTION);
  }

  resume(): void {
    this.#release(HOLD.CONGESTION);
  }

  /** Reads no more; what was read is still published and acknowledged. */
  stopReading(): void {
    this.#hold(HOLD.STOPPING);
  }

  /** Looks at the clock; to be called about once a second. */
  tick(now: number, busConnected: boolean): void {
    if (this.#closedAt !== undefined) {
      if (now - this.#closedAt > CLOSING_MS) this.#socket.destroy();
      return;
    }
    const { limits } = this.#context;
    const session = this.#session;
    if (!session) {
      if (now - this.#openedAt > limits.handshakeTimeoutMs) this.close('handshake_timeout');
      return;
    }
    const { silenceMs, credentialExpiresAt } = session.held.admission;
    const waitingSince = session.lane.waitingSince;
    if (credentialExpiresAt && credentialExpiresAt.getTime() <= now)
      this.close('credential_revoked', 'expired');
    else if (busConnected && waitingSince !== undefined && now - waitingSince > limits.storeTimeoutMs) {
      this.close('not_stored');
    } else if (silenceMs > 0 && !this.#holds && now - this.#heardAt > silenceMs)
      this.close('keep_alive_expired');
  }

  /** Ends the connection once what was written has left. Nothing happens the second time. */
  close(reason: CloseReason, why?: string): void {
    if (this.#closedAt !== undefined) return;
    this.#closedAt = Date.now();
    this.writeDue();
    const { metrics, log } = this.#context;
    metrics.disconnects.inc({ reason });
    this.#endSession(reason);
    const quiet =
      reason === 'client_disconnect' || reason === 'connection_lost' || reason === 'gateway_stopping';
    log[quiet ? 'debug' : 'info']({ ...this.#who(), reason, why }, 'connection closed');
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    this.#socket.destroySoon();
  }

  /** Sends the PUBACKs that became due since the last time. */
  writeDue(): void {
    const acks = this.#session?.lane.takeAcks();
    if (acks) this.#write(acks);
  }

  #hear(chunk: Buffer): void {
    this.#heardAt = Date.now();
    if (!this.#began && chunk[0] !== CONNECT_HEADER) {
      this.close('protocol_error', 'the first packet is no CONNECT');
      return;
    }
    this.#began = true;
    this.#reader.push(chunk);
    this.#read();
  }

  #read(): void {
    try {
      while (this.#holds === 0 && this.#closedAt === undefined && this.#reader.next())
        this.#take(this.#reader);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      if (error.code === 'PACKET_TOO_LARGE') this.#refuse('payload_too_large', error.message);
      else this.close('protocol_error', error.message);
    }
  }

  #take(packet: PacketReader): void {
    const type = packet.header >> 4;
    const session = this.#session;
    if (!session) {
      if (type === PACKET.CONNECT && packet.header === CONNECT_HEADER && !this.#greeted)
        this.#connect(packet);
      else this.close('protocol_error', 'the first packet is no CONNECT');
    } else if (type === PACKET.PUBLISH) {
      const refusal = session.lane.publish(packet, this.#heardAt);
      if (refusal) this.#refuse(refusal);
    } else if (packet.header === PACKET.PUBACK << 4 && packet.end - packet.start === 2) {
      session.held.downlink.acknowledge(packet.buffer.readUInt16BE(packet.start));
    } else if (packet.header === PACKET.PINGREQ << 4 && packet.end === packet.start) {
      this.#write(PINGRESP);
    } else if (packet.header === PACKET.DISCONNECT << 4 && packet.end === packet.start) {
      this.close('client_disconnect');
    } else {
      this.#takeRare(packet, session.held);
    }
  }

  #takeRare(reader: PacketReader, held: Held): void {
    const packet = parsePacket(reader.header, reader.buffer.subarray(reader.start, reader.end));
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === 'subscribe' && messageId > 0 && packet.subscriptions.length > 0) {
      const granted = packet.subscriptions.map(({ topic, qos }) => held.downlink.subscribe(topic, qos));
      const suback = generate({ cmd: 'suback', messageId, granted });
      void this.#context.followDownlink(held.admission.tenant).then(() => this.#write(suback));
    } else if (packet.cmd === 'unsubscribe' && messageId > 0 && packet.unsubscriptions.length > 0) {
      for (const filter of packet.unsubscriptions) held.downlink.unsubscribe(filter);
      this.#write(generate({ cmd: 'unsuback', messageId, granted: [] }));
    } else {
      this.close('protocol_error', `${packet.cmd}, empty or not expected here`);
    }
  }

  #connect(packet: PacketReader): void {
    this.#greeted = true;
    this.#hold(HOLD.HANDSHAKE);
    const body = Buffer.from(packet.buffer.subarray(packet.start, packet.end));
    this.#context.handshake(body, this.#certificate()).then(
      (answer) => {
        if (answer instanceof Rejection) this.#reject(answer);
        else if (this.#closedAt !== undefined) this.#context.onEnd(answer);
        else this.#admit(answer);
      },
      (error: unknown) => this.close('protocol_error', `the handshake failed: ${errorMessage(error)}`),
    );
  }

  #reject(rejection: Rejection): void {
    this.#context.metrics.connects.inc({ outcome: rejection.reason });
    if (rejection.connack) this.#write(rejection.connack);
    this.close('handshake_refused', `${rejection.reason}: ${rejection.why}`);
  }

  #admit(admission: Admission): void {
    const { sessions, intake, metrics, gatewayId } = this.#context;
    const { tenant, device, clientId } = admission;
    const earlier = sessions.get(tenant, device);
    if (earlier && earlier.admission.epoch < admission.epoch) earlier.close('taken_over');
    const resumed = sessions.resume(admission);
    const downlink = resumed ?? new DownlinkSession(tenant, device, clientId);
    const held: Held = { admission, downlink, close: (reason, why) => this.close(reason, why) };
    if (!sessions.hold(held)) {
      this.#context.onEnd(admission);
      this.#reject(new Rejection('overtaken', 'a newer session of this device began meanwhile'));
      return;
    }
    this.#session = { held, lane: this.#openLane(admission) };
    intake.register(this);
    metrics.connects.inc({ outcome: 'accepted' });
    this.#context.onBegin(admission);
    announceConnected(intake, gatewayId, admission, admission.connectedAt.getTime());
    this.#write(connack(0, resumed !== undefined));
    downlink.attach((bytes) => this.#write(bytes));
    if (resumed?.subscribed) void this.#context.followDownlink(tenant);
    if (intake.congested) this.#hold(HOLD.CONGESTION);
    this.#release(HOLD.HANDSHAKE);
  }

  #openLane(admission: Admission): UplinkLane {
    const { intake, limits, metrics, writes } = this.#context;
    return new UplinkLane({
      tenant: admission.tenant,
      device: admission.device,
      intake,
      maxPayloadBytes: limits.maxPayloadBytes,
      maxInflight: limits.maxInflight,
      storeSeconds: metrics.storeSeconds,
      onAcks: () => writes.add(this),
      onFull: (full) => (full ? this.#hold(HOLD.WINDOW) : this.#release(HOLD.WINDOW)),
      onLost: () => this.close('not_stored'),
    });
  }

  #endSession(reason: CloseReason): void {
    const session = this.#session;
    if (!session) return;
    const { intake, sessions, gatewayId } = this.#context;
    const { admission } = session.held;
    session.lane.close();
    intake.unregister(this);
    sessions.drop(session.held);
    announceGone(intake, gatewayId, admission, reason);
    this.#context.onEnd(admission);
  }

  /** A PUBLISH that may not be: 3.1.1 has no way to say why but the log. */
  #refuse(refusal: Refusal, why?: string): void {
    this.#context.metrics.refused.inc({ reason: refusal });
    this.close('refused', why ?? refusal);
  }

  #write(bytes: Buffer): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    socket.write(bytes);
    if (socket.writableLength > MAX_UNREAD_BYTES) this.close('slow_consumer');
  }

  #hold(reason: number): void {
    if (this.#holds === 0) this.#socket.pause();
    this.#holds |= reason;
  }

  #release(reason: number): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds !== 0 || this.#closedAt !== undefined) return;
    this.#heardAt = Date.now();
    this.#read();
    if (this.#holds === 0 && this.#closedAt === undefined) this.#socket.resume();
  }

  /** What the other end of TLS proved to hold the key of; nothing without TLS or without a certificate. */
  #certificate() {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate() : undefined;
  }

  #who() {
    const admission = this.#session?.held.admission;
    return { tenant: admission?.tenant, device: admission?.device, remote: this.#remote };
  }
}
