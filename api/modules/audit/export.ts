import { z } from 'zod';
import { findTenant } from '#api/database/credentials.ts';
import { type ReadScopeOptions, withReadScope } from '#api/database/read-scope.ts';
import { redact } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { SealError, type SecretBox } from '#core/auth/secrets.ts';
import { csvHead, csvLine, jsonLine } from './export-lines.ts';
import { assertFilter } from './service.ts';
import { type AuditFilter, type AuditRow, readAuditRows } from './store.ts';

export const EXPORT_FORMATS = ['CSV', 'JSONL'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface AuditExportMade extends JsonObject {
  readonly url: string;
  readonly expiresAt: string;
}

export interface AuditExportInput {
  readonly where?: AuditFilter | null | undefined;
  readonly format: ExportFormat;
  readonly clientMutationId?: string | null | undefined;
}

/** What a link says, to us only. */
const ticketSchema = z.object({
  tenantId: z.number(),
  tenantSlug: z.string(),
  format: z.enum(EXPORT_FORMATS),
  where: z.object({
    actor: z.string().nullish(),
    actions: z.array(z.string()).nullish(),
    target: z.string().nullish(),
    from: z.coerce.date().nullish(),
    to: z.coerce.date().nullish(),
  }),
  /** Entries from this instant on are left out, so that the file has an end. */
  before: z.coerce.date(),
  expiresAt: z.coerce.date(),
});
type Ticket = z.output<typeof ticketSchema>;

const CONTEXT = 'audit-export';
const LINK_SECONDS = 300;
/** A link must fit a request line everywhere. */
const MAX_TICKET = 6_000;
const PAGE_ROWS = 200;

const madeSchema: z.ZodType<AuditExportMade> = z.object({ url: z.string(), expiresAt: z.string() });

/** Makes a link to a file of the log; who holds it needs no credential. That it was made stands in the log. */
export function exportAudit(
  operation: Operation,
  input: AuditExportInput,
): Promise<AuditExportMade | UserError> {
  const { viewer, platform } = operation;
  return runMutation(operation, {
    name: 'auditExportCreate',
    permission: 'audit.read',
    input,
    secrets: ['url'],
    read: (remembered) => madeSchema.parse(remembered),
    async run(scope) {
      const where = input.where ?? {};
      assertFilter(where);
      const expiresAt = new Date(Date.now() + LINK_SECONDS * 1000);
      const { tenantId, tenantSlug } = scope;
      const filter = { ...where, actions: where.actions && [...where.actions] };
      const { format } = input;
      const ticket: Ticket = { tenantId, tenantSlug, format, where: filter, before: new Date(), expiresAt };
      const sealed = platform.secretBox
        .seal(CONTEXT, Buffer.from(JSON.stringify(ticket)))
        .toString('base64url');
      if (sealed.length > MAX_TICKET) {
        const message = 'is too long for a link; name fewer actions';
        throw new ValidationFault([{ path: ['input', 'where'], message }]);
      }
      const asked: JsonObject = JSON.parse(JSON.stringify(where));
      return {
        success: {
          url: `${platform.addresses.httpUrl}/audit/export?ticket=${sealed}`,
          expiresAt: expiresAt.toISOString(),
        },
        audit: {
          target: { type: 'Tenant', id: tenantId, label: viewer.tenantSlug },
          before: null,
          after: { format, where: asked },
        },
      };
    },
  });
}

export interface AuditExportDeps extends Pick<ReadScopeOptions, 'pool'> {
  readonly secretBox: SecretBox;
  /** For each page of the log, in milliseconds. */
  readonly timeoutMs: number;
}

export interface AuditExport {
  readonly filename: string;
  readonly contentType: string;
  /** Pieces of the file, oldest entry first, read from the database as they are asked for. */
  lines(signal: AbortSignal): AsyncIterable<string>;
}

/** The file behind a link; undefined for a link that is none of ours, has expired, or whose tenant is shut out. */
export async function openAuditExport(
  deps: AuditExportDeps,
  sealed: string,
): Promise<AuditExport | undefined> {
  const ticket = readTicket(deps.secretBox, sealed);
  if (!ticket || ticket.expiresAt.getTime() <= Date.now()) return undefined;
  const tenant = await findTenant(deps.pool, ticket.tenantSlug);
  if (tenant?.id !== ticket.tenantId || tenant.status !== 'ACTIVE') return undefined;
  const csv = ticket.format === 'CSV';
  const day = ticket.before.toISOString().slice(0, 10);
  return {
    filename: `audit-${ticket.tenantSlug}-${day}.${csv ? 'csv' : 'jsonl'}`,
    contentType: csv ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8',
    lines: (signal) => linesOf(deps, ticket, signal),
  };
}

function readTicket(box: SecretBox, sealed: string): Ticket | undefined {
  if (sealed.length > MAX_TICKET) return undefined;
  try {
    return ticketSchema.parse(JSON.parse(box.open(CONTEXT, Buffer.from(sealed, 'base64url')).toString()));
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

async function* linesOf(deps: AuditExportDeps, ticket: Ticket, signal: AbortSignal): AsyncIterable<string> {
  const { where, tenantId } = ticket;
  const to = where.to && where.to < ticket.before ? where.to : ticket.before;
  const toLine = ticket.format === 'CSV' ? csvLine : jsonLine;
  if (ticket.format === 'CSV') yield csvHead;
  let after: Pick<AuditRow, 'at' | 'id'> | undefined;
  for (;;) {
    const deadline = Date.now() + deps.timeoutMs;
    const rows = await withReadScope({ pool: deps.pool, tenantId, deadline, signal }, (read) =>
      readAuditRows(read, { ...where, to }, after, PAGE_ROWS),
    );
    if (rows.length > 0) yield rows.map((row) => toLine(redactRow(row))).join('');
    after = rows.at(-1);
    if (rows.length < PAGE_ROWS) return;
  }
}

const json = z.json();

/** Entries are written redacted; one from before a name was known as a secret’s is redacted here. */
const redactRow = (row: AuditRow): AuditRow => ({
  ...row,
  before: redact(json.parse(row.before)),
  after: redact(json.parse(row.after)),
});
