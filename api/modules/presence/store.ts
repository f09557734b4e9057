import { sql } from '#api/database/sql.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import type { CredentialState } from '#core/fleet/credential-state.ts';

export interface PresenceRow {
  readonly deviceId: number;
  readonly connection: 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
  readonly freshness: 'FRESH' | 'STALE' | 'SILENT';
  readonly lastSeenAt: Date | null;
  readonly connectionChangedAt: Date | null;
  readonly missingMetrics: readonly string[];
  /** As an event says it; absent, it is looked up. */
  readonly credential?: CredentialState | undefined;
}

/** A device that was never heard of is UNKNOWN and SILENT. */
export const loadPresence = defineLoader<number, PresenceRow>(
  async (operation, ids) => {
    const rows = await operation.read.rows<PresenceRow>(
      sql`select device_id as "deviceId", connection, freshness, last_seen_at as "lastSeenAt",
            connection_changed_at as "connectionChangedAt", missing_metrics as "missingMetrics"
          from device_presence where device_id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.deviceId, row]));
  },
  (deviceId) => ({
    deviceId,
    connection: 'UNKNOWN',
    freshness: 'SILENT',
    lastSeenAt: null,
    connectionChangedAt: null,
    missingMetrics: [],
  }),
);
