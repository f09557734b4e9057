import type { Queryable } from './pool.ts';

/** A message to publish after the commit of the transaction that wrote it. */
export interface OutboxMessage {
  /** Whose it is; null where it holds what is of several tenants. */
  readonly tenantId: number | null;
  readonly shard: number;
  /** `events.{shard}.{kind}` goes to its stream, `control.{kind}` to whoever listens. */
  readonly subject: string;
  readonly payload: Buffer;
}

export interface OutboxRow {
  readonly id: string;
  readonly shard: number;
  readonly subject: string;
  readonly payload: Buffer;
}

/** Call inside the transaction that makes the change. */
export async function writeOutbox(db: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await db.query(
    `insert into outbox (tenant_id, shard, subject, payload)
     select * from unnest($1::int[], $2::int[], $3::text[], $4::bytea[])`,
    [
      messages.map((message) => message.tenantId),
      messages.map((message) => message.shard),
      messages.map((message) => message.subject),
      messages.map((message) => message.payload),
    ],
  );
}

/** The oldest unpublished messages of some shards, in order of their ids. */
export async function readOutbox(
  db: Queryable,
  shards: readonly number[],
  limit: number,
): Promise<OutboxRow[]> {
  const rows = await db.query<OutboxRow>(
    'select id, shard, subject, payload from outbox where shard = any($1::int[]) order by id limit $2',
    [[...shards], limit],
  );
  return rows.rows;
}

export async function deleteOutbox(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query('delete from outbox where id = any($1::bigint[])', [[...ids]]);
}
