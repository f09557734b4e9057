import type { NatsConnection } from '@nats-io/nats-core';
import { FleetgraphError } from '../runtime/errors.ts';
import { ORIGIN_HEADER } from './publish.ts';
import type { StreamName } from './streams.ts';

/** A message that lies on a stream. */
export interface PendingMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly bytes: Buffer;
  /** When JetStream stored it, in ms since the epoch. */
  readonly streamedAt: number;
  readonly origin: string | undefined;
}

export interface PendingLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly timeoutMs: number;
}

export interface PendingMessages {
  /** In the order of the stream. */
  readonly messages: readonly PendingMessage[];
  /** False when a limit ended the reading before the stream did. */
  readonly complete: boolean;
}

interface GetAnswer {
  message?: { subject: string; seq: number; data?: string; hdrs?: string; time: string };
  error?: { code: number; err_code?: number; description?: string };
}

const REQUEST_TIMEOUT_MS = 5_000;
const NO_MESSAGE = 404;

/**
 * Reads what lies on a stream without a consumer and without taking it, one message at a time: meant for the few that are in
 * flight, and bounded for when they are many.
 * @param filter a subject, wildcards allowed
 * @throws FleetgraphError with code BUS when JetStream refuses, or what the connection says
 */
export async function readPending(
  connection: NatsConnection,
  stream: StreamName,
  filter: string,
  limits: PendingLimits,
): Promise<PendingMessages> {
  const messages: PendingMessage[] = [];
  const deadline = Date.now() + limits.timeoutMs;
  let bytes = 0;
  let next = 1;
  for (;;) {
    if (messages.length >= limits.messages || bytes >= limits.bytes || Date.now() > deadline)
      return { messages, complete: false };
    const answer = await connection.request(
      `$JS.API.STREAM.MSG.GET.${stream}`,
      JSON.stringify({ seq: next, next_by_subj: filter }),
      { timeout: REQUEST_TIMEOUT_MS },
    );
    const { message, error } = answer.json<GetAnswer>();
    if (error?.code === NO_MESSAGE) return { messages, complete: true };
    if (!message) throw new FleetgraphError('BUS', error?.description ?? 'JetStream gave no message');
    const payload = Buffer.from(message.data ?? '', 'base64');
    bytes += payload.length;
    next = message.seq + 1;
    messages.push({
      subject: message.subject,
      sequence: message.seq,
      bytes: payload,
      streamedAt: Date.parse(message.time),
      origin: originOf(message.hdrs),
    });
  }
}

function originOf(encoded: string | undefined): string | undefined {
  if (encoded === undefined) return undefined;
  const lines = Buffer.from(encoded, 'base64').toString('latin1').split('\r\n');
  const prefix = `${ORIGIN_HEADER}: `;
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}
