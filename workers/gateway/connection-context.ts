import type { StreamPlace } from '#core/bus/follow.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Admission } from './admission.ts';
import type { CatchUp } from './catch-up.ts';
import type { DelayedWills } from './delayed-wills.ts';
import type { Handshake } from './handshake.ts';
import type { Intake } from './intake.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { Sessions } from './sessions.ts';
import type { ReadTables } from './tables.ts';
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
  readonly keeper: SessionKeeper;
  readonly catchUp: CatchUp;
  readonly readTables: ReadTables;
  /** Resolves when what is published to the tenant's devices from now on will arrive here, or cannot be waited for. */
  followDownlink(tenant: string): Promise<void>;
  /** Up to there everything for the tenant's devices has arrived here; undefined while it is not followed. */
  downlinkPlace(tenant: string): StreamPlace | undefined;
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
