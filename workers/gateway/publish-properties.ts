import { isUtf8 } from 'node:buffer';
import {
  MAX_USER_PROPERTIES,
  MAX_USER_PROPERTY_BYTES,
  packUserProperties,
  withoutToken,
} from '#core/bus/user-properties.ts';
import { PacketBody } from './protocol/packet-body.ts';
import { malformed, PacketError, unexpected } from './protocol/packet-error.ts';
import { ALLOWED, PROPERTY, type Properties, readProperties } from './protocol/properties.ts';
import type { Refusal } from './refusals.ts';
import type { UplinkMeaning, UplinkTopics } from './uplink.ts';

/** Aliases of topics that a client may set up; as many as there are topics it may publish to, and some. */
export const TOPIC_ALIAS_MAXIMUM = 16;

/**
 * What MQTT 5 adds to the PUBLISHes of one connection: reads the properties of one after the other and remembers topic
 * aliases. What was read last stands in its fields, so that a message costs no allocation.
 */
export class PublishProperties {
  /** Where the payload begins. */
  payloadAt = 0;
  /** As they travel in a frame. */
  userProperties: Uint8Array | undefined;
  readonly #topics: UplinkTopics;
  /** `null` for a topic that is not the device's. */
  readonly #aliases: (UplinkMeaning | null | undefined)[] = [];
  #payloadIsText = false;
  #contentType: string | undefined;
  #tooManyUserProperties = false;

  constructor(topics: UplinkTopics) {
    this.#topics = topics;
  }

  /**
   * Reads from `at` to the payload.
   * @returns what the topic means; undefined when it is not the device's to publish to
   * @throws PacketError
   */
  read(
    buffer: Buffer,
    topicAt: number,
    topicEnd: number,
    at: number,
    end: number,
  ): UplinkMeaning | undefined {
    if (at >= end) throw malformed('a PUBLISH without the length of its properties');
    this.userProperties = undefined;
    this.#payloadIsText = false;
    this.#contentType = undefined;
    this.#tooManyUserProperties = false;
    const length = buffer[at];
    if (length === 0) {
      this.payloadAt = at + 1;
      if (topicAt === topicEnd) throw unexpected('a PUBLISH without topic and alias');
      return this.#topics.meaningOf(buffer, topicAt, topicEnd);
    }
    if (length === 3 && buffer[at + 1] === PROPERTY.TOPIC_ALIAS && at + 4 <= end) {
      this.payloadAt = at + 4;
      return this.#aliased(buffer.readUInt16BE(at + 2), buffer, topicAt, topicEnd);
    }
    const body = new PacketBody(buffer, at, end);
    const properties = readProperties(body, ALLOWED.PUBLISH);
    this.payloadAt = body.at;
    this.keep(properties);
    const alias = properties.number(PROPERTY.TOPIC_ALIAS);
    if (alias !== undefined) return this.#aliased(alias, buffer, topicAt, topicEnd);
    if (topicAt === topicEnd) throw unexpected('a PUBLISH without topic and alias');
    return this.#topics.meaningOf(buffer, topicAt, topicEnd);
  }

  /** Why a payload may not be taken under the properties that were read last. */
  refusal(payload: Buffer, kind: UplinkMeaning['kind']): Refusal | undefined {
    if (this.#tooManyUserProperties) return 'user_properties';
    if (this.#contentType !== undefined && kind !== 'heartbeat' && !isJson(this.#contentType))
      return 'content_type';
    return this.#payloadIsText && !isUtf8(payload) ? 'payload_format' : undefined;
  }

  /** Takes properties as the ones that were read last. */
  keep(properties: Properties): void {
    this.#payloadIsText = properties.number(PROPERTY.PAYLOAD_FORMAT) === 1;
    this.#contentType = properties.text(PROPERTY.CONTENT_TYPE);
    if (/[+#]/.test(properties.text(PROPERTY.RESPONSE_TOPIC) ?? ''))
      throw unexpected('a response topic with a wildcard');
    if (properties.user.length === 0) return;
    const packed = packUserProperties(withoutToken(properties.user));
    this.#tooManyUserProperties =
      properties.user.length > MAX_USER_PROPERTIES || packed.length > MAX_USER_PROPERTY_BYTES;
    if (packed.length > 0) this.userProperties = packed;
  }

  #aliased(alias: number, buffer: Buffer, topicAt: number, topicEnd: number): UplinkMeaning | undefined {
    if (alias === 0 || alias > TOPIC_ALIAS_MAXIMUM) {
      throw new PacketError(
        'TOPIC_ALIAS_INVALID',
        `topic alias ${alias}; 1 to ${TOPIC_ALIAS_MAXIMUM} are taken`,
      );
    }
    if (topicAt < topicEnd) this.#aliases[alias] = this.#topics.meaningOf(buffer, topicAt, topicEnd) ?? null;
    const meaning = this.#aliases[alias];
    if (meaning === undefined) throw unexpected(`topic alias ${alias} stands for nothing`);
    return meaning ?? undefined;
  }
}

/** `application/json`, `text/json` and whatever ends in `+json`; parameters are not looked at. */
function isJson(contentType: string): boolean {
  const [type = ''] = contentType.toLowerCase().split(';');
  return /^(application|text)\/([^/\s]+\+)?json$/.test(type.trim());
}
