import { defineLoader } from '#api/graphql/loaders.ts';
import { sql } from '#core/db/sql.ts';
import type { TransportLink, TransportProtocol } from '#core/fleet/templates.ts';

export interface TransportRow {
  readonly id: number;
  readonly deviceId: number;
  readonly protocol: TransportProtocol;
  readonly link: TransportLink | null;
  /** As it is stored. */
  readonly settings: unknown;
  readonly isPrimary: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const TRANSPORT_COLUMNS = sql`id, device_id as "deviceId", protocol, link, settings, is_primary as "isPrimary",
  created_at as "createdAt", updated_at as "updatedAt"`;

export const loadTransport = defineLoader<number, TransportRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<TransportRow>(
      sql`select ${TRANSPORT_COLUMNS} from device_transports where id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** The transports of a device, the primary one first. */
export const loadTransports = defineLoader<number, readonly TransportRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<TransportRow>(
      sql`select ${TRANSPORT_COLUMNS} from device_transports
          where device_id = any(${deviceIds}::int[]) order by is_primary desc, id`,
    );
    return Map.groupBy(rows, (row) => row.deviceId);
  },
  () => [],
);
