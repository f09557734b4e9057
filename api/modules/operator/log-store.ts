import { all, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { requireOperator } from './access.ts';
import { containing } from './tenants-store.ts';

/** An entry of the platform's own log. */
export interface PlatformLogRow {
  readonly id: string;
  readonly at: Date;
  readonly actorId: string;
  readonly actorName: string;
  readonly action: string;
  readonly reason: string;
  readonly tenants: string[];
  readonly fields: string[];
  readonly arguments: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly ip: string | null;
  readonly requestId: string;
}

export interface PlatformLogFilter {
  readonly actor?: string | null | undefined;
  readonly tenant?: string | null | undefined;
  readonly actions?: readonly string[] | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

const NEWEST: Keyset = {
  name: 'operator/log',
  columns: [
    { expression: sql`a.at`, type: 'timestamptz' },
    { expression: sql`a.id`, type: 'bigint' },
  ],
  descending: true,
};

/** Newest first. */
export async function readPlatformLog(
  operation: Operation,
  args: PageArgs,
  { actor, tenant, actions, from, to }: PlatformLogFilter,
): Promise<Page<PlatformLogRow>> {
  const page = planPage(args, NEWEST);
  const limits = [
    ...(actor ? [sql`(a.actor_id = ${actor} or a.actor_name ilike ${containing(actor)})`] : []),
    ...(tenant ? [sql`${tenant} = any (a.tenants)`] : []),
    ...(actions ? [sql`a.action = any(${actions}::text[])`] : []),
    ...(from ? [sql`a.at >= ${from}`] : []),
    ...(to ? [sql`a.at < ${to}`] : []),
  ];
  const rows = await requireOperator(operation).rows<PlatformLogRow>(
    operation,
    sql`select a.id::text as id, a.at, a.actor_id as "actorId", a.actor_name as "actorName", a.action, a.reason, a.tenants,
          a.fields, a.arguments, a.before, a.after, a.ip, a.request_id as "requestId"
        from platform_audit_entries a where ${all(limits)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.at.toISOString(), row.id]);
}
