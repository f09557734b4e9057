import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#core/runtime/logger.ts';
import type { DownlinkBacklog } from './downlink-backlog.ts';
import type { DownlinkSession } from './downlink-session.ts';

export interface CatchUpOptions {
  readonly backlog: DownlinkBacklog;
  readonly log: Logger;
  /** Resolves when what is published to the tenant's devices from now on will arrive. */
  follow(tenant: string): Promise<void>;
}

/** Reads again what a session missed, until it lacks nothing or has no room; nothing happens while that goes on. */
export type CatchUp = (tenant: string, device: string, session: DownlinkSession) => void;

const RETRY_MS = 1_000;

export function createCatchUp({ backlog, log, follow }: CatchUpOptions): CatchUp {
  const running = new WeakSet<DownlinkSession>();

  const run = async (tenant: string, device: string, session: DownlinkSession) => {
    await follow(tenant);
    while (session.wantsMore) {
      const after = session.resumeAfter;
      if (!after) return;
      try {
        const { messages, upTo } = await backlog.read({ tenant, device, after });
        session.caughtUp(messages, upTo);
      } catch (error) {
        log.warn({ err: error, tenant, device }, 'cannot read what a device missed; trying again');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  };

  return (tenant, device, session) => {
    if (running.has(session)) return;
    running.add(session);
    void run(tenant, device, session).finally(() => running.delete(session));
  };
}
