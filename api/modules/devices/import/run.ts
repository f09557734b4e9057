import { z } from 'zod';
import type { WriteScope, Writes } from '#api/database/writes.ts';
import { type AuditChange, type AuditOrigin, changesBetween, writeAudits } from '#api/graphql/audit.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';
import { createDeviceSecret, hashDeviceSecret, hintOf } from '#core/auth/device-credentials.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import { type AnnouncedDevice, announceAll } from '../announce.ts';
import { MAX_LIVE_TOKENS } from '../tokens.ts';
import { csvCell } from './csv.ts';
import { type DeviceState, type Existing, type ImportPlan, type KnownDevice, planImport } from './plan.ts';
import { type RowIssue, readRows } from './rows.ts';
import { findFull, insertDevices, insertTokens, lockKnown, readSiteIds, updateDevices } from './store.ts';

export interface ImportDeps {
  readonly writes: Writes;
  readonly deviceTokenKey: Buffer;
  readonly timeoutMs: number;
}

export interface ImportOrder {
  /** Says what would happen and changes nothing. */
  readonly dryRun: boolean;
  readonly existing: Existing;
  /** Who gets a token: nobody, the devices that are made, or every device of a good row. */
  readonly tokens: 'NONE' | 'CREATED' | 'ALL';
}

export interface Imported {
  /** Below the header, empty ones not counted. */
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  /** They exist and stay as they are. */
  readonly skipped: number;
  readonly failed: number;
  /** By row. */
  readonly issues: readonly RowIssue[];
  /** A file of `key,username,token`; the only time the tokens are there. Null where none were asked for, and of a dry run. */
  readonly credentials: string | null;
}

/**
 * Makes or changes the devices of a file, all good rows in one transaction; what is wrong with the others is said, and
 * keeps nobody else out. The same file again changes nothing.
 * @param file rows of cells, the header first
 * @throws CsvFileError for a header that is none
 */
export async function importDevices(
  deps: ImportDeps,
  origin: AuditOrigin & { readonly viewer: Viewer },
  order: ImportOrder,
  file: readonly (readonly string[])[],
): Promise<Imported> {
  const { good, issues } = readRows(file);
  return deps.writes.transaction(origin.viewer, Date.now() + deps.timeoutMs, async (scope) => {
    const siteKeys = new Set(good.flatMap(({ device }) => device.siteKey ?? []));
    const siteIds = await readSiteIds(scope, [...siteKeys]);
    const keys = good.map(({ device }) => device.key);
    const known = await lockKnown(scope, keys);
    const plan = planImport(good, known, siteIds, order.existing);
    const made = order.dryRun ? undefined : await carryOut(scope, plan, origin);
    const rowOf = new Map<string, number>(good.map(({ row, device }) => [device.key, row]));
    const given = made && (await giveTokens(scope, deps.deviceTokenKey, tokenTakers(order, plan, made)));
    const all = [...issues, ...plan.issues];
    /** In a file that skips what exists, a device that somebody made meanwhile is one of those. */
    const late = order.existing === 'SKIP' ? [] : (made?.taken ?? []);
    for (const key of [...late, ...(given?.full ?? [])]) {
      const isFull = given?.full.has(key);
      const code = isFull ? 'TOO_MANY_TOKENS' : 'EXISTS';
      const message = isFull
        ? `no token: the device holds ${MAX_LIVE_TOKENS} already`
        : 'somebody made a device of that key meanwhile';
      all.push({ row: rowOf.get(key) ?? 0, key, column: 'key', code, message });
    }
    const taken = made?.taken.length ?? 0;
    const refused = new Set([...issues, ...plan.issues].map(({ row }) => row)).size;
    return {
      rows: good.length + new Set(issues.map(({ row }) => row)).size,
      created: plan.create.length - taken,
      updated: plan.update.length,
      skipped: plan.keep.length + taken - late.length,
      failed: refused + late.length,
      issues: all.toSorted((a, b) => a.row - b.row),
      credentials: given && order.tokens !== 'NONE' ? given.file : null,
    };
  });
}

interface CarriedOut {
  readonly created: readonly AnnouncedDevice[];
  readonly updated: readonly AnnouncedDevice[];
  /** Keys of devices that somebody else made at the same moment. */
  readonly taken: readonly string[];
}

const CHUNK = 1_000;

async function carryOut(scope: WriteScope, plan: ImportPlan, origin: AuditOrigin): Promise<CarriedOut> {
  const created: AnnouncedDevice[] = [];
  const updated: AnnouncedDevice[] = [];
  // In one order, so that two files with the same keys wait for each other instead of blocking each other.
  const inOrder = plan.create.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  for (const chunk of chunks(inOrder)) created.push(...(await insertDevices(scope, chunk)));
  for (const chunk of chunks(plan.update))
    updated.push(
      ...(await updateDevices(
        scope,
        chunk.map(({ before, after }) => ({ ...after, id: before.id })),
      )),
    );
  await announceAll(scope, created, 'CREATED');
  await announceAll(scope, updated, 'UPDATED');
  const states = new Map(plan.create.map((state) => [state.key, state]));
  const changes = [
    ...created.map(({ id, key }) => auditOf(id, key, null, toJson(states.get(key)))),
    ...plan.update.map(({ before, after }) => {
      const changed = changesBetween(toJson(before), toJson(after));
      return auditOf(before.id, before.key, changed.before, changed.after);
    }),
  ];
  for (const chunk of chunks(changes)) await writeAudits(scope, origin, 'deviceImport', chunk);
  const there = new Set(created.map(({ key }) => key));
  return { created, updated, taken: plan.create.flatMap(({ key }) => (there.has(key) ? [] : [key])) };
}

const auditOf = (id: number, label: string, before: JsonObject | null, after: JsonObject): AuditChange => ({
  target: { type: 'Device', id, label },
  before,
  after,
});

const stateSchema = z.record(z.string(), z.json());
const toJson = (state: DeviceState | KnownDevice | undefined): JsonObject => stateSchema.parse({ ...state });

type TokenTaker = Pick<AnnouncedDevice, 'id' | 'key'> & { readonly isNew: boolean };

function tokenTakers({ tokens }: ImportOrder, plan: ImportPlan, made: CarriedOut): TokenTaker[] {
  const created = made.created.map(({ id, key }) => ({ id, key, isNew: true }));
  if (tokens === 'NONE') return [];
  if (tokens === 'CREATED') return created;
  const known = [...plan.update.map(({ before }) => before), ...plan.keep];
  return [...created, ...known.map(({ id, key }) => ({ id, key, isNew: false }))];
}

async function giveTokens(
  scope: WriteScope,
  tokenKey: Buffer,
  takers: readonly TokenTaker[],
): Promise<{ readonly file: string; readonly full: ReadonlySet<string> }> {
  const known = takers.filter(({ isNew }) => !isNew);
  const full = await findFull(
    scope,
    known.map(({ id }) => id),
    MAX_LIVE_TOKENS,
  );
  const lines = ['key,username,token'];
  const rows = takers.flatMap(({ id, key }) => {
    if (full.has(id)) return [];
    const secret = createDeviceSecret();
    lines.push([key, `${scope.tenantSlug}/${key}`, secret].map(csvCell).join(','));
    return [{ deviceId: id, hash: hashDeviceSecret(tokenKey, secret), hint: hintOf(secret) }];
  });
  for (const chunk of chunks(rows)) await insertTokens(scope, chunk);
  const renewed = known.filter(({ id }) => !full.has(id)).map(({ key }) => ({ id: key, version: 0 }));
  if (renewed.length > 0) await scope.publishControls('credential', renewed);
  return {
    file: `${lines.join('\r\n')}\r\n`,
    full: new Set(takers.flatMap(({ id, key }) => (full.has(id) ? [key] : []))),
  };
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK);
}
