import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { JsonObject } from '#core/fleet/json-documents.ts';
import type { ShadowState } from '#core/fleet/shadow.ts';

export interface ShadowRow extends ShadowState {
  readonly desiredAt: Date | null;
  readonly reportedAt: Date | null;
}

const NOTHING: ShadowRow = {
  ...{ desired: {}, desiredVersion: 0, desiredAt: null },
  ...{ reported: {}, reportedVersion: 0, reportedAt: null, answeredVersion: 0 },
};

/** A device of whom nobody wanted anything, and that reported nothing, has an empty one. */
export const loadShadow = defineLoader<number, ShadowRow>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<ShadowRow & { deviceId: number }>(
      sql`select device_id as "deviceId", desired, desired_version as "desiredVersion", desired_at as "desiredAt",
            reported, reported_version as "reportedVersion", reported_at as "reportedAt", answered_version as "answeredVersion"
          from device_shadows where device_id = any(${deviceIds}::int[])`,
    );
    return new Map(rows.map((row) => [row.deviceId, row]));
  },
  () => NOTHING,
);

export type ShadowSide = 'DESIRED' | 'REPORTED';

/** A version of one side. */
export interface ShadowVersionRow {
  readonly id: string;
  readonly side: ShadowSide;
  readonly version: number;
  readonly document: JsonObject;
  readonly answers: number | null;
  readonly actor: string | null;
  readonly at: Date;
}

const VERSION = sql`h.id::text as id, h.side::text as side, h.version, h.document, h.answers, h.actor, h.at`;
const NEWEST: Keyset = {
  name: 'shadowHistory/newest',
  columns: [
    { expression: sql`h.at`, type: 'timestamptz' },
    { expression: sql`h.id`, type: 'bigint' },
  ],
  descending: true,
};

/** The versions of a device's shadow, newest first. */
export async function listVersions(
  operation: Operation,
  args: PageArgs,
  deviceId: number,
  side: ShadowSide | undefined,
): Promise<Page<ShadowVersionRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<ShadowVersionRow>(
    sql`select ${VERSION} from shadow_history h
        where h.device_id = ${deviceId} and (${side ?? null}::text is null or h.side::text = ${side ?? null}) and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.at.toISOString(), row.id]);
}

/** The version of each side that was the newest at a time, and the newest desired version answered by then. */
export async function readVersionsAt(
  operation: Operation,
  deviceId: number,
  at: Date,
): Promise<readonly (ShadowVersionRow & { readonly answered: number })[]> {
  return operation.read.rows(
    sql`select distinct on (h.side) ${VERSION}, coalesce(max(h.answers) over (partition by h.side), 0) as answered
        from shadow_history h where h.device_id = ${deviceId} and h.at <= ${at} order by h.side, h.version desc`,
  );
}

/** The document of a version, by `{deviceId}/{side}/{version}`; null when it is not kept any more. */
export const loadDocument = defineLoader<string, JsonObject | null>(
  async (operation, names) => {
    const wanted = names.map((name) => name.split('/'));
    const rows = await operation.read.rows<{ name: string; document: JsonObject }>(
      sql`select h.device_id || '/' || h.side || '/' || h.version as name, h.document
          from unnest(${wanted.map(([id]) => Number(id))}::int[], ${wanted.map(([, side]) => side ?? '')}::text[],
            ${wanted.map(([, , version]) => Number(version))}::int[]) as w (device_id, side, version)
          join shadow_history h on h.device_id = w.device_id and h.side = w.side::shadow_side and h.version = w.version`,
    );
    return new Map(rows.map(({ name, document }) => [name, document]));
  },
  () => null,
);
