import type { ItemKind } from './messages.ts';
import { commandsSubject, shadowSubject, telemetrySubject } from './subjects.ts';

/** The streams that carry frames of device messages. Each holds its own kinds, so that one that is full holds up no other. */
export const UPLINK_STREAMS = ['TELEMETRY', 'SHADOW', 'COMMANDS'] as const;
export type UplinkStream = (typeof UPLINK_STREAMS)[number];

/** The stream that messages of a kind go to. */
export function uplinkStreamOf(kind: ItemKind): UplinkStream {
  if (kind === 'shadow_reported') return 'SHADOW';
  const isCommand = kind === 'command_ack' || kind === 'command_sent';
  return isCommand || kind === 'ota_status' ? 'COMMANDS' : 'TELEMETRY';
}

const SUBJECTS: Readonly<Record<UplinkStream, (shard: number) => string>> = {
  TELEMETRY: telemetrySubject,
  SHADOW: shadowSubject,
  COMMANDS: commandsSubject,
};

export const uplinkSubject = (stream: UplinkStream, shard: number): string => SUBJECTS[stream](shard);
