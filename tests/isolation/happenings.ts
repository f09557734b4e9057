import { randomUUID } from 'node:crypto';
import { publishEvents, type TestApi } from '#tests/kit/api.ts';
import { nextReading } from '#tests/kit/live.ts';
import type { Estate } from './estate.ts';

/** One event of each kind that a subscription listens to. */
export async function makeHappen(api: TestApi, of: Estate): Promise<void> {
  const reading = nextReading(of.device, { label: `${of.mark}-live` });
  await publishEvents(api.bus, of.tenant, { telemetry: [reading] });
  const now = Date.now();
  await publishEvents(api.bus, of.tenant, {
    presence: [
      {
        ...{ deviceId: of.device.id, device: of.device.key, siteId: null, at: now },
        ...{ connection: 'ONLINE', freshness: 'FRESH', lastSeenAt: now, connectionChangedAt: now },
      },
    ],
  });
  await publishEvents(api.bus, of.tenant, {
    shadow: [
      {
        ...{ deviceId: of.device.id, device: of.device.key, siteId: null, at: now },
        ...{ side: 'REPORTED', version: 1, answers: 1, actor: `${of.mark}-actor` },
      },
    ],
  });
  await publishEvents(api.bus, of.tenant, {
    command: [
      {
        ...{ deviceId: of.device.id, device: of.device.key, siteId: null, at: now },
        ...{ id: of.commandRow, commandId: randomUUID(), type: `${of.mark.toLowerCase()}.type` },
        ...{ status: 'SENT', event: 'sent', actor: `user:${of.mark}`, jobId: null },
        ...{ createdAt: now, expiresAt: now, sentAt: now, acknowledgedAt: null, finishedAt: null },
      },
    ],
  });
}
