import type { ReadScope } from '#api/database/read-scope.ts';
import { all, type Sql, sql } from '#api/database/sql.ts';
import type { AuditActor } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { readGlobalId } from '#api/graphql/global-ids.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly actorKind: AuditActor['kind'];
  readonly actorId: string;
  readonly actorName: string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly targetLabel: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly ip: string | null;
  readonly requestId: string;
}

export interface AuditFilter {
  readonly actor?: string | null | undefined;
  readonly actions?: readonly string[] | null | undefined;
  readonly target?: string | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

const COLUMNS = sql`a.id::text as id, a.at, a.actor_kind as "actorKind", a.actor_id as "actorId", a.actor_name as "actorName", a.action,
  a.target_type as "targetType", a.target_id as "targetId", a.target_label as "targetLabel", a.before, a.after, a.ip,
  a.request_id as "requestId"`;
const NEWEST: Keyset = {
  name: 'auditEntries/newest',
  columns: [
    { expression: sql`a.at`, type: 'timestamptz' },
    { expression: sql`a.id`, type: 'bigint' },
  ],
  descending: true,
};

export async function readAuditEntry(operation: Operation, id: string): Promise<AuditRow | undefined> {
  const [row] = await operation.read.rows<AuditRow>(
    sql`select ${COLUMNS} from audit_entries a where a.id = ${id}::bigint`,
  );
  return row;
}

/** Newest first. */
export async function readAuditEntries(
  operation: Operation,
  args: PageArgs,
  filter: AuditFilter,
): Promise<Page<AuditRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<AuditRow>(
    sql`select ${COLUMNS} from audit_entries a where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.at.toISOString(), row.id]);
}

/** Up to `limit` entries behind another one, oldest first. The scope is the tenant's. */
export function readAuditRows(
  read: ReadScope,
  filter: AuditFilter,
  after: Pick<AuditRow, 'at' | 'id'> | undefined,
  limit: number,
): Promise<AuditRow[]> {
  const behind = after ? sql`(a.at, a.id) > (${after.at}, ${after.id}::bigint)` : sql`true`;
  return read.rows<AuditRow>(
    sql`select ${COLUMNS} from audit_entries a where ${conditions(filter)} and ${behind}
        order by a.at, a.id limit ${limit}`,
  );
}

function conditions({ actor, actions, target, from, to }: AuditFilter): Sql {
  const named = target ? readGlobalId(target) : undefined;
  return all([
    ...(actor ? [sql`(a.actor_id = ${actor} or a.actor_name ilike ${containing(actor)})`] : []),
    ...(actions ? [sql`a.action = any(${actions}::text[])`] : []),
    ...(target && named
      ? [
          sql`((a.target_type = ${named.typename} and a.target_id = ${named.id}) or a.target_label ilike ${containing(target)})`,
        ]
      : []),
    ...(target && !named ? [sql`a.target_label ilike ${containing(target)}`] : []),
    ...(from ? [sql`a.at >= ${from}`] : []),
    ...(to ? [sql`a.at < ${to}`] : []),
  ]);
}

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
