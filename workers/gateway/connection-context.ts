import type { Logger } from '#core/runtime/logger.ts';
import type { Admission } from './admission.ts';
import type { DelayedWills } from './delayed-wills.ts';
import type { Handshake } from './handshake.ts';
import type { Intake } from './intake.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { Sessions } from './sessions.ts';
import type { Throttles } from './throttle.ts';
import type { WriteQueue } from './write-queue.ts';

/** What every connection of a gateway shares. */
export interface ConnectionContext {
  readonly gatewayId: string;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
  readonly intake: Intake;
  readonly sessions: Sessions;
  readonly writes: WriteQueue;
  readonly handshake: Handshake;
  readonly wills: DelayedWills;
  readonly throttles: Throttles;
  readonly refusals: RefusalLog;
  /** Resolves when what is published to the tenant's devices from now on will arrive here, or cannot be waited for. */
  followDownlink(tenant: string): Promise<void>;
  /** A device was let in. */
  onBegin(admission: Admission): void;
  /** A session ended, whatever the reason. */
  onEnd(admission: Admission): void;
  readonly limits: {
    readonly maxPayloadBytes: number;
    /** The longest packet. */
    readonly maxPacketBytes: number;
    readonly maxInflight: number;
    readonly handshakeTimeoutMs: number;
    readonly storeTimeoutMs: number;
  };
}
