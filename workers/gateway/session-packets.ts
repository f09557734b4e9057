import type { CloseReason } from './close-reason.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketBody } from './protocol/packet-body.ts';
import { unexpected } from './protocol/packet-error.ts';
import {
  checkFlags,
  PACKET,
  readAcknowledgement,
  readDisconnect,
  readSubscribe,
  readUnsubscribe,
} from './protocol/read-packets.ts';
import { REASON } from './protocol/reason.ts';
import { acknowledgement, plainAcknowledgement, suback, unsuback } from './protocol/write-packets.ts';
import type { Held } from './sessions.ts';

/** What the packets of a session do to the connection they came on. */
export interface PacketAnswers {
  write(bytes: Buffer): void;
  close(reason: CloseReason): void;
  /** Resolves when what the device is subscribed to now will reach it. */
  subscriptionsChanged(): Promise<void>;
}

const PINGRESP = Buffer.from([0xd0, 0]);
const PUBCOMP = 0x70;
/** MQTT 3.1.1 knows one way to fail (3.9.3). */
const FAILURE_4 = 0x80;

/**
 * Takes a packet of a device that was let in; every kind but PUBLISH.
 * @throws PacketError when the connection cannot go on
 */
export function takePacket(packet: PacketReader, held: Held, answers: PacketAnswers): void {
  const { header, buffer, start, end } = packet;
  checkFlags(header);
  const { version } = held.admission;
  const body = new PacketBody(buffer, start, end);
  switch (header >> 4) {
    case PACKET.PUBACK:
      acknowledged(body, held);
      return;
    case PACKET.PUBREL:
      answers.write(release(held, readAcknowledgement(body, version).packetId));
      return;
    case PACKET.SUBSCRIBE:
      subscribe(body, held, answers);
      return;
    case PACKET.UNSUBSCRIBE: {
      const { packetId, filters } = readUnsubscribe(body, version);
      const codes = filters.map((filter) =>
        held.state.downlink.filters.remove(filter) ? REASON.SUCCESS : REASON.NO_SUBSCRIPTION_EXISTED,
      );
      const answer = unsuback(version, packetId, codes);
      void answers.subscriptionsChanged().then(() => answers.write(answer));
      return;
    }
    case PACKET.PINGREQ:
      body.finish();
      answers.write(PINGRESP);
      return;
    case PACKET.DISCONNECT:
      disconnect(body, held, answers);
      return;
    default:
      throw unexpected(`a packet of type ${header >> 4}, which a device does not send here`);
  }
}

function subscribe(body: PacketBody, held: Held, answers: PacketAnswers): void {
  const { version } = held.admission;
  const { packetId, subscriptions, identifier } = readSubscribe(body, version);
  const codes = subscriptions.map((subscription) => {
    const code = held.state.downlink.subscribe(subscription, identifier);
    return version === 4 && code >= REASON.UNSPECIFIED ? FAILURE_4 : code;
  });
  const answer = suback(version, packetId, codes);
  void answers.subscriptionsChanged().then(() => answers.write(answer));
}

function acknowledged(body: PacketBody, { admission, state }: Held): void {
  const { packetId, reason } = readAcknowledgement(body, admission.version);
  state.downlink.acknowledge(packetId, reason < REASON.UNSPECIFIED);
}

/** The second half of QoS 2: from now on the packet id means another message. */
function release({ admission, state }: Held, packetId: number): Buffer {
  const outcome = state.inbox.release(packetId);
  if (outcome === 'early') throw unexpected('a PUBREL before its PUBREC');
  return outcome === 'unknown' && admission.version === 5
    ? acknowledgement(PUBCOMP, packetId, REASON.PACKET_ID_NOT_FOUND, undefined)
    : plainAcknowledgement(PUBCOMP, packetId);
}

function disconnect(body: PacketBody, { admission, state }: Held, answers: PacketAnswers): void {
  const { reason, sessionExpirySeconds } = readDisconnect(body, admission.version);
  if (sessionExpirySeconds !== undefined) {
    if (state.keepSeconds === 0 && sessionExpirySeconds > 0)
      throw unexpected('a session that was not to be kept');
    state.keepSeconds = Math.min(sessionExpirySeconds, admission.maxKeepSeconds);
  }
  answers.close(reason === REASON.DISCONNECT_WITH_WILL ? 'client_disconnect_with_will' : 'client_disconnect');
}
