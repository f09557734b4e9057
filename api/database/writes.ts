import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool, QueryResultRow } from 'pg';
import { type Prisma, PrismaClient } from '#api/generated/prisma/client.ts';
import { type ControlMessage, type EventMessage, encodeEvents } from '#core/bus/events.ts';
import type { ControlKind } from '#core/bus/subjects.ts';
import { controlSubject, eventsSubject } from '#core/bus/subjects.ts';
import type { RunSql } from '#core/db/pool.ts';
import { type Sql, type SqlReader, toStatement } from '#core/db/sql.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { translateFailure } from './failures.ts';

/** Whose rows a transaction may touch. */
export interface TenantRef {
  readonly tenantId: number;
  readonly tenantSlug: string;
}

/** One write transaction in a tenant's name. What it publishes leaves only if it commits. */
export interface WriteScope extends TenantRef, SqlReader {
  readonly prisma: Prisma.TransactionClient;
  /** Of the tenant, on the bus. */
  readonly shard: number;
  /** Messages as they go to the bus, in this order, with one statement. */
  publish(messages: readonly { readonly subject: string; readonly payload: Buffer }[]): Promise<void>;
  publishEvent(message: EventWithoutTenant): Promise<void>;
  publishControl(kind: ControlKind, id: string, version: number): Promise<void>;
  /** The same for many, with one statement. */
  publishControls(
    kind: ControlKind,
    changes: readonly { readonly id: string; readonly version: number }[],
  ): Promise<void>;
  /** Statements in this transaction, for what workers do too. */
  readonly run: RunSql;
  /** The same transaction in the name of another tenant, for operators of the platform: their role may, the API's may not. */
  of(tenant: TenantRef): WriteScope;
}

type EventWithoutTenant = EventMessage extends infer Message
  ? Message extends EventMessage
    ? Omit<Message, 'v' | 'tenant' | 'tenantId'>
    : never
  : never;

export interface Writes {
  /** Commits when `work` resolves, rolls back when it throws. The deadline is in ms since the epoch. */
  transaction<Result>(
    tenant: TenantRef,
    deadline: number,
    work: (scope: WriteScope) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

/** How long a transaction waits for a free connection, in milliseconds. */
const MAX_WAIT_MS = 5_000;

/** Prisma on the connections of `pool`. */
export function createWrites(pool: Pool, shards: number): Writes {
  const client = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    async transaction(tenant, deadline, work) {
      const timeout = Math.max(1, Math.floor(deadline - Date.now()));
      try {
        return await client.$transaction(
          async (prisma) => {
            await prisma.$executeRaw`select set_config('app.tenant_id', ${String(tenant.tenantId)}, true),
              set_config('statement_timeout', ${String(timeout)}, true)`;
            return work(createScope(prisma, tenant, shards));
          },
          { maxWait: MAX_WAIT_MS, timeout },
        );
      } catch (error) {
        throw translateFailure(error);
      }
    },
    close: () => client.$disconnect(),
  };
}

function createScope(prisma: Prisma.TransactionClient, tenant: TenantRef, shards: number): WriteScope {
  const shard = shardOf(tenant.tenantSlug, shards);
  const post = async (subject: string, payload: Uint8Array) => {
    await prisma.$executeRaw`insert into outbox (tenant_id, shard, subject, payload)
      values (${tenant.tenantId}, ${shard}, ${subject}, ${payload})`;
  };
  const { tenantSlug, tenantId } = tenant;
  return {
    ...tenant,
    prisma,
    shard,
    async publish(messages) {
      const payloads = messages.map(({ payload }) => payload.toString('hex'));
      await prisma.$executeRaw`insert into outbox (tenant_id, shard, subject, payload)
        select ${tenantId}, ${shard}, subject, decode(payload, 'hex')
        from unnest(${messages.map(({ subject }) => subject)}::text[], ${payloads}::text[]) with ordinality
          as w (subject, payload, index) order by index`;
    },
    rows<Row extends QueryResultRow>(statement: Sql) {
      const { text, values } = toStatement(statement);
      return prisma.$queryRawUnsafe<Row[]>(text, ...values);
    },
    run: <Row>(text: string, values: readonly unknown[]) => prisma.$queryRawUnsafe<Row[]>(text, ...values),
    of: (other) => createScope(prisma, other, shards),
    publishEvent: (message) =>
      post(
        eventsSubject(shard, message.kind),
        encodeEvents({ v: 1, tenant: tenant.tenantSlug, tenantId: tenant.tenantId, ...message }),
      ),
    async publishControl(kind, id, version) {
      const message: ControlMessage = { tenant: tenant.tenantSlug, tenantId: tenant.tenantId, id, version };
      await post(controlSubject(kind), Buffer.from(JSON.stringify(message)));
    },
    async publishControls(kind, changes) {
      const messages = changes.map(
        ({ id, version }): ControlMessage => ({
          ...{ tenant: tenantSlug, tenantId, id, version },
        }),
      );
      const texts = messages.map((message) => JSON.stringify(message));
      await prisma.$executeRaw`insert into outbox (tenant_id, shard, subject, payload)
        select ${tenantId}, ${shard}, ${controlSubject(kind)}, convert_to(text, 'UTF8')
        from unnest(${texts}::text[]) with ordinality as w (text, index) order by index`;
    },
  };
}
