import { TLSSocket } from 'node:tls';
import { PROVISION_TOKEN_MARKER } from '#core/fleet/provision-token.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Admission } from './admission.ts';
import { type CloseReason, toldOf } from './close-reason.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { Pausable } from './intake.ts';
import { type OpenSession, openSession } from './open-session.ts';
import { PacketReader } from './packet-reader.ts';
import { PacketError } from './protocol/packet-error.ts';
import { PACKET } from './protocol/read-packets.ts';
import { disconnect5 } from './protocol/write-packets.ts';
import { describeRefusal, type Refusal } from './refusals.ts';
import { Rejection } from './rejection.ts';
import { announceGone, announceWill, callsForWill } from './session-events.ts';
import { type PacketAnswers, takePacket } from './session-packets.ts';
import type { Transport } from './transport.ts';
import type { Writer } from './write-queue.ts';

/** A device that does not read what it is sent. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** How long the last bytes of a closed connection may take. */
const CLOSING_MS = 5_000;
const CONNECT_HEADER = PACKET.CONNECT << 4;

/** Ends that are in the log already, or in order. */
const QUIET: ReadonlySet<CloseReason> = new Set([
  ...(['client_disconnect', 'connection_lost', 'gateway_stopping', 'handshake_refused'] as const),
]);

/** Why a socket is not read at present; several may hold at once. */
const HOLD = { HANDSHAKE: 1, WINDOW: 2, CONGESTION: 4, STOPPING: 8, LIMIT: 16, SHARE: 32 } as const;

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
  #session: OpenSession | undefined;
  readonly #answers: PacketAnswers;
  #closedAt: number | undefined;

  constructor(socket: Transport, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#remote = socket.remoteAddress ?? '';
    this.#reader = new PacketReader(context.limits.maxPacketBytes, PROVISION_TOKEN_MARKER);
    this.#answers = {
      write: (bytes) => this.#write(bytes),
      close: (reason) => this.close(reason),
      subscriptionsChanged: async () => this.#session?.subscriptionsChanged(),
    };
  }

  /** Begins to read. */
  open(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', () => this.close('connection_lost'));
    socket.on('end', () => this.close('connection_lost'));
    socket.on('close', () => this.close('connection_lost'));
  }

  get paused(): boolean {
    return (this.#holds & (HOLD.WINDOW | HOLD.CONGESTION | HOLD.SHARE)) !== 0;
  }

  /** Messages that the bus has not answered. */
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

  /**
   * Ends the connection once what was written has left. Nothing happens the second time.
   * @param told the reason code for a client of MQTT 5, where it is not the usual one
   */
  close(reason: CloseReason, why?: string, told = toldOf(reason)?.reason): void {
    if (this.#closedAt !== undefined) return;
    this.#closedAt = Date.now();
    this.writeDue();
    this.#sayWhy(told, why ?? toldOf(reason)?.why);
    const { metrics, log } = this.#context;
    metrics.disconnects.inc({ reason });
    this.#endSession(reason);
    log[QUIET.has(reason) ? 'debug' : 'info']({ ...this.#who(), reason, why }, 'connection closed');
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    this.#socket.destroySoon();
  }

  /** Sends the answers that became due since the last time. */
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
    this.#reader.keep();
  }

  #read(): void {
    try {
      while (this.#holds === 0 && this.#closedAt === undefined && this.#reader.next())
        this.#take(this.#reader);
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      if (error.code === 'PACKET_TOO_LARGE') this.#refuse('payload_too_large', error.message, error.reason);
      else this.close('protocol_error', error.message, error.reason);
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
      if (refusal) this.#refusePublish(refusal, session.held.admission);
      if (this.#closedAt === undefined) session.throttle.take(packet.end - packet.start, this.#heardAt);
    } else takePacket(packet, session.held, this.#answers);
  }

  #connect(packet: PacketReader): void {
    this.#greeted = true;
    this.#hold(HOLD.HANDSHAKE);
    const body = Buffer.from(packet.buffer.subarray(packet.start, packet.end));
    this.#context.handshake(body, this.#certificate(), this.#remote).then(
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
    const { reason, why } = rejection;
    this.#context.refusals.note({ reason, why: `${reason}: ${why}`, remote: this.#remote });
    this.close('handshake_refused');
  }

  #admit(admission: Admission): void {
    const { intake, writes } = this.#context;
    const session = openSession(admission, this.#context, {
      write: (bytes) => this.#write(bytes),
      close: (reason, why, told) => this.close(reason, why, told),
      onThrottled: (held) => (held ? this.#hold(HOLD.LIMIT) : this.#release(HOLD.LIMIT)),
      onShareFull: (full) => (full ? this.#hold(HOLD.SHARE) : this.#release(HOLD.SHARE)),
      onAcks: (pressing) => writes.add(this, pressing),
      onFull: (full) => (full ? this.#hold(HOLD.WINDOW) : this.#release(HOLD.WINDOW)),
    });
    if (session instanceof Rejection) {
      this.#context.onEnd(admission);
      this.#reject(session);
      return;
    }
    this.#session = session;
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, 60_000);
    intake.register(this);
    session.begin();
    if (intake.congested) this.#hold(HOLD.CONGESTION);
    this.#release(HOLD.HANDSHAKE);
  }

  #endSession(reason: CloseReason): void {
    const session = this.#session;
    if (!session) return;
    const { intake, wills, gatewayId } = this.#context;
    const { admission, state } = session.held;
    this.#context.throttles.close(admission, session.throttle);
    session.end(reason);
    intake.unregister(this);
    const { will } = admission;
    if (will && callsForWill(reason)) {
      const delaySeconds = reason === 'gateway_stopping' ? 0 : Math.min(will.delaySeconds, state.keepSeconds);
      if (delaySeconds > 0) wills.add(admission, will, delaySeconds * 1_000);
      else announceWill(intake, admission, will);
    }
    announceGone(intake, gatewayId, admission, reason);
    this.#context.onEnd(admission);
  }

  /** A PUBLISH that may not be: MQTT 5 is told why, where there is an answer; 3.1.1 has no way to say it but to close. */
  #refusePublish(refusal: Refusal, { version }: Admission): void {
    if (version === 4) this.#refuse(refusal, describeRefusal(refusal).why);
    else this.#context.metrics.refused.inc({ reason: refusal });
  }

  #refuse(refusal: Refusal, why: string, told?: number): void {
    this.#context.metrics.refused.inc({ reason: refusal });
    this.close('refused', why, told);
  }

  #sayWhy(reason: number | undefined, why: string | undefined): void {
    const admission = this.#session?.held.admission;
    if (reason === undefined || admission?.version !== 5) return;
    const { maxPacketBytes } = admission.limits;
    for (const told of [why, undefined]) {
      const bytes = disconnect5(reason, told);
      if (bytes.length > maxPacketBytes) continue;
      this.#write(bytes);
      return;
    }
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
