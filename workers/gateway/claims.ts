import type { HeldSession, SessionClaim } from '#core/db/sessions.ts';
import { createBatch } from '#core/runtime/batch.ts';
import { OverloadedError, UnavailableError } from '#core/runtime/errors.ts';

export interface ClaimsOptions {
  /** See `claimSessions`: undefined where a newer session has overtaken the claim. */
  claim(claims: readonly SessionClaim[]): Promise<readonly (bigint | undefined)[]>;
  reserve(count: number): Promise<readonly bigint[]>;
  release(sessions: readonly HeldSession[]): Promise<void>;
}

export interface TakenEpoch {
  readonly epoch: bigint;
  /** It is from the reserve: the database does not answer. */
  readonly reserved: boolean;
}

export interface Claims {
  /**
   * The epoch of a new session; undefined when a newer one has overtaken it already. While the database does not
   * answer, epochs come from a reserve of less than `RESERVE` and are written down later.
   * @throws UnavailableError when the reserve is used up, OverloadedError when too many wait
   */
  take(claim: Omit<SessionClaim, 'epoch'>): Promise<TakenEpoch | undefined>;
  /** Notes that a session ended; written down with the next `settle`. */
  end(session: HeldSession): void;
  /** A session that lives though the table has lost it. */
  restore(claim: SessionClaim): void;
  /** Writes down what waits and renews the reserve. Rejects when the database does not answer; nothing is lost then. */
  settle(): Promise<void>;
}

const RESERVE = 2_000;
const MAX_ENDED = 100_000;

/** Sessions of this gateway in the table of all sessions, in few statements. */
export function createClaims(options: ClaimsOptions): Claims {
  let reserve: readonly bigint[] = [];
  let used = 0;
  /** What was taken after the reserve and is therefore higher than it, by device. */
  let recent = new Map<number, bigint>();
  const unwritten = new Map<number, SessionClaim>();
  const ended = new Map<number, HeldSession>();
  const ask = createBatch<SessionClaim, bigint | undefined>({
    name: 'the database, asked for a session,',
    maxItems: 500,
    waitMs: 1,
    maxWaiting: 20_000,
    timeoutMs: 3_000,
    keyOf: (claim) => claim.deviceId,
    run: options.claim,
  });

  const writeDown = async () => {
    const claims = [...unwritten.values()].slice(0, 1_000);
    if (claims.length === 0) return;
    await options.claim(claims);
    for (const claim of claims) if (unwritten.get(claim.deviceId) === claim) unwritten.delete(claim.deviceId);
  };

  const forget = async () => {
    const sessions = [...ended.values()].slice(0, 1_000);
    if (sessions.length === 0) return;
    await options.release(sessions);
    for (const session of sessions)
      if (ended.get(session.deviceId) === session) ended.delete(session.deviceId);
  };

  return {
    async take(claim) {
      try {
        const epoch = await ask(claim);
        if (epoch !== undefined) recent.set(claim.deviceId, epoch);
        return epoch === undefined ? undefined : { epoch, reserved: false };
      } catch (error) {
        if (error instanceof OverloadedError) throw error;
        const reserved = reserve[used];
        if (reserved === undefined) throw new UnavailableError('the database', { cause: error });
        used += 1;
        const known = recent.get(claim.deviceId) ?? 0n;
        const epoch = reserved > known ? reserved : known + 1n;
        recent.set(claim.deviceId, epoch);
        unwritten.set(claim.deviceId, { ...claim, epoch });
        return { epoch, reserved: true };
      }
    },
    end(session) {
      if (unwritten.get(session.deviceId)?.epoch === session.epoch) unwritten.delete(session.deviceId);
      if (ended.size < MAX_ENDED) ended.set(session.deviceId, session);
    },
    restore: (claim) => unwritten.set(claim.deviceId, claim),
    async settle() {
      while (unwritten.size > 0) await writeDown();
      while (ended.size > 0) await forget();
      const before = recent;
      recent = new Map();
      try {
        reserve = await options.reserve(RESERVE);
        used = 0;
      } catch (error) {
        recent = new Map([...before, ...recent]);
        throw error;
      }
    },
  };
}
