import { z } from 'zod';
import { sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { dryRun } from '#api/graphql/dry-run.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { readGlobalId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import type { QuarantineJobFix, QuarantineJobTarget } from '#core/db/quarantine-jobs.ts';
import type { PayloadFix } from '#core/fleet/payload-fix.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { type Forecast, forecast, type Sender } from './preview.ts';
import { assertFilter } from './service.ts';
import { countQuarantined, type QuarantineFilter, readOldest, readQuarantined } from './store.ts';

export interface TargetInput {
  readonly ids?: readonly string[] | null | undefined;
  readonly where?: Omit<QuarantineFilter, 'status'> | null | undefined;
}
interface ChangeInput {
  readonly target: TargetInput;
  readonly dryRun?: boolean | null | undefined;
  readonly clientMutationId?: string | null | undefined;
}
export interface ReplayInput extends ChangeInput {
  readonly fix?: unknown;
}

const doneSchema = z.object({ jobId: z.string().nullable(), matched: z.number() });
/** A success: the job that does it, and for a dry run what it would do to the first of the messages. */
export interface QuarantineChange {
  readonly jobId: string | null;
  readonly matched: number;
  readonly forecasts: readonly Forecast[];
}

const MAX_IDS = 100;
/** One job takes at most this many; what is beyond is left for the next. */
export const MAX_MATCHED = 100_000;
const MAX_FORECASTS = 100;
const MAX_STEPS = 50;

const pointer = z.string().max(1_000, 'must have at most 1 000 characters');
const fixSchema = z.union([
  z.object({ text: z.string() }),
  z.object({ base64: z.base64('must be base64') }),
  z.object({
    patch: z.object({
      removeField: z.boolean().nullish(),
      steps: z
        .array(
          z.discriminatedUnion('op', [
            z.object({ op: z.enum(['add', 'replace']), path: pointer, value: z.json() }),
            z.object({ op: z.literal('remove'), path: pointer }),
            z.object({ op: z.literal('move'), from: pointer, path: pointer }),
          ]),
          'must be a list of add, remove, replace and move steps of JSON Patch',
        )
        .max(MAX_STEPS, `must have at most ${MAX_STEPS} steps`)
        .nullish(),
    }),
  }),
]);

/** Sends messages through the pipeline again, as they came or made right; with `dryRun` only says what would happen. */
export function replayQuarantined(
  operation: Operation,
  input: ReplayInput,
): Promise<QuarantineChange | UserError> {
  return change(operation, 'quarantineReplay', 'REPLAY', input, () => readFix(input));
}

/** Gives messages up: they stay visible until they expire, and are not replayed. */
export function discardQuarantined(
  operation: Operation,
  input: ChangeInput,
): Promise<QuarantineChange | UserError> {
  return change(operation, 'quarantineDiscard', 'DISCARD', input, () => undefined);
}

async function change(
  operation: Operation,
  name: string,
  action: 'REPLAY' | 'DISCARD',
  input: ChangeInput,
  fixOf: () => QuarantineJobFix | undefined,
): Promise<QuarantineChange | UserError> {
  if (input.dryRun) {
    return dryRun(operation, 'quarantine.manage', async () => {
      const { target, matched } = await readTarget(operation, input.target);
      const fix = fixOf();
      assertSingle(fix, matched);
      return { jobId: null, matched, forecasts: await forecastAll(operation, target, action, fix) };
    });
  }
  const done = await runMutation(operation, {
    name,
    permission: 'quarantine.manage',
    input,
    read: (remembered) => doneSchema.parse(remembered),
    async run(scope) {
      const fix = fixOf();
      const { target, matched, lastId } = await readTarget(operation, input.target);
      await operation.read.release();
      if (matched === 0)
        throw new ConflictFault('no message matches that is still open', ['input', 'target'], null);
      assertSingle(fix, matched);
      const job = { action, target, fix: fix ?? null, matched, lastId };
      const jobId = await insertJob(scope, operation.viewer.name, job);
      const after: JsonObject = {
        matched,
        target: toJson(target),
        ...(fix && { fix: toJson(withoutPayload(fix)) }),
      };
      const label = `${matched} ${matched === 1 ? 'message' : 'messages'}`;
      return {
        success: { jobId, matched },
        audit: { target: { type: 'QuarantineJob', id: Number(jobId), label }, before: null, after },
      };
    },
  });
  return 'kind' in done ? done : { ...done, forecasts: [] };
}

/** The target as a job keeps it, how many messages are open in it, and the newest of them. */
async function readTarget(
  operation: Operation,
  { ids, where }: TargetInput,
): Promise<{ target: QuarantineJobTarget; matched: number; lastId: string }> {
  if (ids) {
    if (ids.length === 0 || ids.length > MAX_IDS)
      throw fault(['target', 'ids'], `takes 1 to ${MAX_IDS} ids; use where for more`);
    const wanted = [...new Set(ids.map(readMessageId))];
    const rows = await readQuarantined(operation, wanted);
    if (rows.length < wanted.length)
      throw new NotFoundFault('there is no such quarantined message', ['input', 'target', 'ids']);
    const open = rows.filter((row) => row.status === 'OPEN').map((row) => row.id);
    if (open.length < wanted.length) {
      const message = `${wanted.length - open.length} of the messages are not open any more`;
      throw new ConflictFault(message, ['input', 'target', 'ids'], null);
    }
    const lastId = open.reduce((last, id) => (BigInt(id) > BigInt(last) ? id : last), '0');
    return { target: { ids: open }, matched: open.length, lastId };
  }
  const filter = where ?? {};
  assertFilter(filter);
  const { count, lastId } = await countQuarantined(operation, { ...filter, status: ['OPEN'] }, MAX_MATCHED);
  const { reasons, deviceKey, from, to } = filter;
  const target: QuarantineJobTarget = {
    ...(reasons && { reasons }),
    ...(deviceKey != null && { deviceKey }),
    ...(from && { from: from.toISOString() }),
    ...(to && { to: to.toISOString() }),
  };
  return { target, matched: count, lastId };
}

function readMessageId(text: string): string {
  const id = readGlobalId(text);
  if (id?.typename !== 'QuarantinedMessage' || !/^\d{1,18}$/.test(id.id))
    throw new NotFoundFault('there is no such quarantined message', ['input', 'target', 'ids']);
  return id.id;
}

function readFix({ fix }: ReplayInput): QuarantineJobFix | undefined {
  if (fix == null) return undefined;
  const parsed = parseInput(z.object({ fix: fixSchema }), { fix: withoutNulls(fix) }).fix;
  if ('patch' in parsed) {
    const { removeField, steps } = parsed.patch;
    if (!removeField && (steps ?? []).length === 0) throw fault(['fix', 'patch'], 'changes nothing');
    return { removeField: removeField ?? false, steps: steps ?? [] };
  }
  const payload = 'text' in parsed ? Buffer.from(parsed.text) : Buffer.from(parsed.base64, 'base64');
  if (payload.length > DEFAULT_TELEMETRY_LIMITS.maxMessageBytes)
    throw fault(['fix'], `must have at most ${DEFAULT_TELEMETRY_LIMITS.maxMessageBytes} bytes`);
  return { payload: payload.toString('base64') };
}

/** GraphQL gives null for what a oneOf input leaves out. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
    : value;

function assertSingle(fix: QuarantineJobFix | undefined, matched: number): void {
  if (fix && 'payload' in fix && matched > 1)
    throw fault(['fix'], 'a payload takes the place of one message; use a patch for many');
}

const fault = (path: readonly string[], message: string): ValidationFault =>
  new ValidationFault([{ path: ['input', ...path], message }]);

async function insertJob(
  scope: WriteScope,
  requestedBy: string,
  job: {
    readonly action: string;
    readonly target: QuarantineJobTarget;
    readonly fix: QuarantineJobFix | null;
    readonly matched: number;
    readonly lastId: string;
  },
): Promise<string> {
  const [row] = await scope.prisma.$queryRaw<{ id: string }[]>`
    insert into quarantine_jobs (tenant_id, action, target, fix, last_id, total, requested_by)
    values (${scope.tenantId}, ${job.action}, ${JSON.stringify(job.target)}::jsonb,
      ${job.fix && JSON.stringify(job.fix)}::jsonb, ${job.lastId}::bigint, ${job.matched}, ${requestedBy})
    returning id::text as id`;
  if (!row) throw new Error('the job was not made');
  return row.id;
}

async function forecastAll(
  operation: Operation,
  target: QuarantineJobTarget,
  action: 'REPLAY' | 'DISCARD',
  fix: QuarantineJobFix | undefined,
): Promise<Forecast[]> {
  if (action === 'DISCARD') return [];
  const filter: QuarantineFilter = {
    ...{ reasons: target.reasons, deviceKey: target.deviceKey, status: ['OPEN'] },
    ...(target.from && { from: new Date(target.from) }),
    ...(target.to && { to: new Date(target.to) }),
  };
  const rows = target.ids
    ? await readQuarantined(operation, target.ids)
    : await readOldest(operation, filter, MAX_FORECASTS);
  const senders = await readSenders(operation, [...new Set(rows.map((row) => row.deviceKey))]);
  const payloadFix: PayloadFix | undefined =
    fix && 'payload' in fix ? { payload: Buffer.from(fix.payload, 'base64') } : fix;
  return rows.map((row) => {
    const sender = senders.get(row.deviceKey) ?? { deviceStatus: undefined, retentionDays: 0 };
    return forecast(row, payloadFix, sender);
  });
}

async function readSenders(operation: Operation, keys: readonly string[]): Promise<Map<string, Sender>> {
  const rows = await operation.read.rows<{
    key: string;
    status: Sender['deviceStatus'];
    retentionDays: number;
  }>(
    sql`select d.key, d.status::text as status, t.retention_days as "retentionDays"
        from devices d join tenants t on t.id = d.tenant_id where d.key = any(${keys}::text[])`,
  );
  return new Map(
    rows.map(({ key, status, retentionDays }) => [key, { deviceStatus: status, retentionDays }]),
  );
}

const toJson = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

/** The audit log says that a payload was replaced, not by what: the new one is in quarantine or among the readings. */
const withoutPayload = (fix: QuarantineJobFix): object =>
  'payload' in fix ? { replaced: true, bytes: Buffer.from(fix.payload, 'base64').length } : fix;
