import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import type { Axes, AxesChange } from '#core/fleet/availability.ts';
import type { CredentialState } from '#core/fleet/credential-state.ts';
import type { Connectivity, Freshness } from '#core/fleet/presence.ts';

interface ChangeRow {
  readonly at: Date;
  readonly connection: Connectivity;
  readonly freshness: Freshness;
  readonly credential: CredentialState;
  readonly connectionBefore: Connectivity;
  readonly freshnessBefore: Freshness;
  readonly credentialBefore: CredentialState;
}

const COLUMNS = sql`at, connection, freshness, credential, connection_before as "connectionBefore",
  freshness_before as "freshnessBefore", credential_before as "credentialBefore"`;

const fromRow = (row: ChangeRow): AxesChange => ({
  at: row.at.getTime(),
  before: {
    connection: row.connectionBefore,
    freshness: row.freshnessBefore,
    credential: row.credentialBefore,
  },
  after: { connection: row.connection, freshness: row.freshness, credential: row.credential },
});

/** Changes in a range, oldest first; at most `limit`. */
export async function readChanges(
  operation: Operation,
  deviceId: number,
  range: { readonly from: Date; readonly to: Date },
  limit: number,
): Promise<AxesChange[]> {
  const rows = await operation.read.rows<ChangeRow>(
    sql`select ${COLUMNS} from presence_changes
        where device_id = ${deviceId} and at >= ${range.from} and at < ${range.to} order by at, id limit ${limit}`,
  );
  return rows.map(fromRow);
}

/** What presence was at a moment: as the next change found it, or as it is now. */
export async function readAxesAt(operation: Operation, deviceId: number, at: Date): Promise<Axes> {
  const [next] = await operation.read.rows<ChangeRow>(
    sql`select ${COLUMNS} from presence_changes where device_id = ${deviceId} and at >= ${at} order by at, id limit 1`,
  );
  if (next) return fromRow(next).before;
  const [present] = await operation.read.rows<Axes>(
    sql`select connection, freshness, credential from device_presence where device_id = ${deviceId}`,
  );
  return present ?? { connection: 'UNKNOWN', freshness: 'SILENT', credential: 'NONE' };
}
