import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { Role } from '#core/auth/permissions.ts';

export interface InvitationRow {
  readonly id: number;
  readonly email: string;
  readonly role: Role;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** Never the hash of the secret. */
const COLUMNS = sql`i.id, i.email, i.role, i.invited_by as "invitedBy", i.created_at as "createdAt",
  i.expires_at as "expiresAt", i.accepted_at as "acceptedAt", i.revoked_at as "revokedAt"`;
const NEWEST: Keyset = {
  name: 'invitations/newest',
  columns: [{ expression: sql`i.id`, type: 'int' }],
  descending: true,
};
const PENDING = sql`i.accepted_at is null and i.revoked_at is null and i.expires_at > now()`;

export const loadInvitation = defineLoader<number, InvitationRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<InvitationRow>(
      sql`select ${COLUMNS} from invitations i where i.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Newest first. */
export async function readInvitations(
  operation: Operation,
  args: PageArgs,
  pendingOnly: boolean,
): Promise<Page<InvitationRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<InvitationRow>(
    sql`select ${COLUMNS} from invitations i where ${pendingOnly ? PENDING : sql`true`} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (invitation) => [String(invitation.id)]);
}

export async function countInvitations(operation: Operation, pendingOnly: boolean): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from invitations i where ${pendingOnly ? PENDING : sql`true`}`,
  );
  return row?.count ?? 0;
}
