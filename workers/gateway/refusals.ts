import { REASON } from './protocol/reason.ts';

/** Why a PUBLISH is refused, and how a client of MQTT 5 is told; in 3.1.1 its connection is closed. */
const REFUSALS = {
  topic: { reason: REASON.NOT_AUTHORIZED, why: 'not one of the topics that this device may publish to' },
  topic_name: { reason: REASON.TOPIC_NAME_INVALID, why: 'a topic name may not hold a wildcard' },
  // 0x95 would say it better, but a PUBACK may not say it (MQTT 5, table 3-4).
  payload_too_large: { reason: REASON.QUOTA_EXCEEDED, why: 'the payload is longer than is taken here' },
  payload_format: {
    reason: REASON.PAYLOAD_FORMAT_INVALID,
    why: 'the payload is not UTF-8, as it says it is',
  },
  content_type: { reason: REASON.PAYLOAD_FORMAT_INVALID, why: 'only JSON is taken here' },
  user_properties: { reason: REASON.QUOTA_EXCEEDED, why: 'too many user properties' },
} as const;

export type Refusal = keyof typeof REFUSALS;

const NAMES: readonly Refusal[] = [
  'topic',
  'topic_name',
  'payload_too_large',
  'payload_format',
  'content_type',
  'user_properties',
];

/** A small number for a refusal; never 0. */
export const refusalNumber = (refusal: Refusal): number => NAMES.indexOf(refusal) + 1;

/** What `refusalNumber` stands for; undefined for 0. */
export const refusalOf = (number: number): (typeof REFUSALS)[Refusal] | undefined => {
  const name = NAMES[number - 1];
  return name && REFUSALS[name];
};

export const describeRefusal = (refusal: Refusal): { readonly reason: number; readonly why: string } =>
  REFUSALS[refusal];
