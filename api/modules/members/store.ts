import { all, type Sql, sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { Role } from '#core/auth/permissions.ts';

export interface MemberRow {
  readonly id: number;
  readonly subject: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  readonly origin: 'PROVIDER' | 'INVITATION';
  readonly roleSource: 'PROVIDER' | 'TENANT';
  readonly firstSignInAt: Date;
  readonly lastSignInAt: Date;
  readonly removedAt: Date | null;
}

export interface MemberFilter {
  readonly search?: string | null | undefined;
  readonly roles?: readonly string[] | null | undefined;
}

const COLUMNS = sql`m.id, m.subject, m.name, m.email, m.role, m.origin, m.role_source as "roleSource",
  m.first_sign_in_at as "firstSignInAt", m.last_sign_in_at as "lastSignInAt", m.removed_at as "removedAt"`;
const BY_NAME: Keyset = {
  name: 'members/name',
  columns: [
    { expression: sql`m.name`, type: 'text' },
    { expression: sql`m.id`, type: 'int' },
  ],
  descending: false,
};

export const loadMember = defineLoader<number, MemberRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<MemberRow>(
      sql`select ${COLUMNS} from members m where m.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** By name; those who were removed are left out. */
export async function readMembers(
  operation: Operation,
  args: PageArgs,
  filter: MemberFilter,
): Promise<Page<MemberRow>> {
  const page = planPage(args, BY_NAME);
  const rows = await operation.read.rows<MemberRow>(
    sql`select ${COLUMNS} from members m where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (member) => [member.name, String(member.id)]);
}

export async function countMembers(operation: Operation, filter: MemberFilter): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from members m where ${conditions(filter)}`,
  );
  return row?.count ?? 0;
}

function conditions({ search, roles }: MemberFilter): Sql {
  const pattern = `%${search?.replace(/[\\%_]/g, '\\$&')}%`;
  return all([
    sql`m.removed_at is null`,
    ...(search ? [sql`(m.name ilike ${pattern} or m.email ilike ${pattern})`] : []),
    ...(roles ? [sql`m.role = any(${roles}::role_name[])`] : []),
  ]);
}

export type LockedMember = Pick<MemberRow, 'id' | 'subject' | 'name' | 'role' | 'roleSource'>;

/**
 * The member with this id and every admin of the tenant, locked until the transaction ends. Locks are taken in the order of
 * ids: of two transactions that would each take the other's admin away, the second one sees what the first has done.
 */
export async function lockMembers(
  { prisma, tenantId }: WriteScope,
  id: number | undefined,
): Promise<{ readonly member: LockedMember | undefined; readonly admins: readonly LockedMember[] }> {
  const rows = await prisma.$queryRaw<LockedMember[]>`
    select id, subject, name, role, role_source as "roleSource" from members
    where tenant_id = ${tenantId} and removed_at is null and (role = 'ADMIN' or id = ${id ?? 0}) order by id for update`;
  return { member: rows.find((row) => row.id === id), admins: rows.filter(({ role }) => role === 'ADMIN') };
}
