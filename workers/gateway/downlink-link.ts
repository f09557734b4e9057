import { meterCommandPayload } from '#core/fleet/command-messages.ts';
import type { ClientLimits } from './admission.ts';
import type { Grant } from './downlink-filters.ts';
import type { DownlinkMessage } from './downlink-session.ts';
import { PROPERTY, type PropertyToWrite } from './protocol/properties.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { publish } from './protocol/write-packets.ts';

/** A connection that messages leave through, and what the client at its end can take. */
export interface DownlinkLink {
  readonly version: ProtocolVersion;
  readonly limits: ClientLimits;
  write(bytes: Buffer): void;
}

/** Writes messages to one connection; knows which topics its client knows by a number. */
export class DownlinkWriter {
  readonly #device: string;
  readonly #link: DownlinkLink;
  readonly #aliases = new Map<string, number>();

  constructor(device: string, link: DownlinkLink) {
    this.#device = device;
    this.#link = link;
  }

  get receiveMaximum(): number {
    return this.#link.limits.receiveMaximum;
  }

  /** @param packetId 0 for QoS 0 */
  send(
    message: DownlinkMessage,
    grant: Grant,
    packetId: number,
    dup: boolean,
    identifiers: readonly number[],
  ): 'sent' | 'expired' | 'too_large' {
    const link = this.#link;
    const restMs = message.expiresAt === undefined ? undefined : message.expiresAt - Date.now();
    if (restMs !== undefined && restMs <= 0) return 'expired';
    const to = grant.topic;
    const { topic, alias, isNew } = this.#name(to);
    const retain = message.stored === true || (message.retain && grant.asPublished);
    const properties: PropertyToWrite[] = [
      [PROPERTY.MESSAGE_EXPIRY, restMs === undefined ? undefined : Math.ceil(restMs / 1_000)],
      [PROPERTY.CONTENT_TYPE, message.contentType],
      [PROPERTY.TOPIC_ALIAS, alias],
      ...identifiers.map((identifier): PropertyToWrite => [PROPERTY.SUBSCRIPTION_ID, identifier]),
    ];
    const bytes = publish(link.version, {
      ...{ topic, packetId, dup, retain, properties, payload: this.#spell(message, to) },
      user: message.userProperties ?? [],
    });
    if (bytes.length > link.limits.maxPacketBytes) return 'too_large';
    if (isNew && alias !== undefined) this.#aliases.set(to.topic, alias);
    link.write(bytes);
    return 'sent';
  }

  /** The topic as the client is told it: in full at first, then by its alias, where the client takes one. */
  #name({ topic }: Grant['topic']) {
    const { version, limits } = this.#link;
    const known = this.#aliases.get(topic);
    if (known !== undefined) return { topic: '', alias: known, isNew: false };
    const alias =
      version === 5 && this.#aliases.size < limits.topicAliasMaximum ? this.#aliases.size + 1 : undefined;
    return { topic, alias, isNew: true };
  }

  #spell({ payload }: DownlinkMessage, { dialect }: Grant['topic']): Buffer {
    return dialect === 'meter2' ? meterCommandPayload(payload, this.#device, Date.now()) : payload;
  }
}
