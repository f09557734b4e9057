import {
  type CommandEvent,
  type CommandStatus,
  isCommandAnswer,
  isFinished,
  nextStatus,
} from '../fleet/commands.ts';
import { COMMAND_COLUMNS, type CommandChange, type CommandRecord } from './commands.ts';
import type { RunSql } from './pool.ts';

/** Something that happened to a command. */
export interface CommandHappening {
  readonly tenantId: number;
  /** Whose it must be; undefined: whoever's. */
  readonly deviceId: number | undefined;
  readonly commandId: string;
  readonly event: CommandEvent;
  /** When, in ms since the epoch. */
  readonly at: number;
  /** As JSON. */
  readonly details: string | undefined;
}

export interface HappeningsOutcome {
  /** Commands that have changed their state, in order; one that changed it twice stands there twice. */
  readonly changes: readonly CommandChange[];
  /** Places of the happenings whose command is not there, or another device's. */
  readonly unknown: readonly number[];
}

interface LockedCommand extends CommandRecord {
  /** The JSON Schema of an answer, where the device's template has one. */
  readonly response: unknown;
}

const LOCK = `
  select ${COMMAND_COLUMNS},
    (select e->'response' from jsonb_array_elements(v.definition->'commands') e where e->>'key' = c.type limit 1) as response
  from device_commands c join devices d on d.id = c.device_id join tenants t on t.id = c.tenant_id
    left join template_versions v on v.template_id = d.template_id and v.version = d.template_version
  where c.command_id = any($1::uuid[]) order by c.id for no key update of c`;

const NOTE = `
  insert into command_transitions (tenant_id, command_id, event, status, moved, at, details)
  select * from unnest($1::int[], $2::bigint[], $3::command_event[], $4::command_status[], $5::boolean[], $6::timestamptz[], $7::jsonb[])
  on conflict (command_id, event) do nothing`;

const UPDATE = `
  update device_commands c set status = u.status, sent_at = u.sent_at, acknowledged_at = u.acknowledged_at,
    finished_at = u.finished_at, details = coalesce(u.details, c.details),
    details_problem = case when u.details is null then c.details_problem else u.details_problem end
  from unnest($1::bigint[], $2::command_status[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[], $7::text[])
    as u (id, status, sent_at, acknowledged_at, finished_at, details, details_problem)
  where c.id = u.id`;

/** What is known of a command while its happenings are gone through. */
interface Progress {
  command: LockedCommand;
  details: string | undefined;
  problem: string | undefined;
  changed: boolean;
}

interface Note {
  readonly command: LockedCommand;
  readonly happening: CommandHappening;
  readonly status: CommandStatus;
  readonly moved: boolean;
}

/**
 * Applies what happened to commands, in the order given, by the rule of core/fleet/commands.ts; three statements, however many
 * there are. Each event of a command is noted once, whether or not it changed the state, so the same happening again changes
 * nothing. To be called in a transaction.
 * @param judge what is wrong with the details of an `ok` by a schema; undefined when nothing is
 */
export async function applyHappenings(
  run: RunSql,
  happenings: readonly CommandHappening[],
  judge: (schema: unknown, details: string | undefined) => string | undefined,
): Promise<HappeningsOutcome> {
  if (happenings.length === 0) return { changes: [], unknown: [] };
  const locked = await run<LockedCommand>(LOCK, [[...new Set(happenings.map((each) => each.commandId))]]);
  const known = new Map<string, Progress>();
  for (const command of locked)
    known.set(command.commandId, { command, details: undefined, problem: undefined, changed: false });
  const [changes, notes, unknown]: [CommandChange[], Note[], number[]] = [[], [], []];
  for (const [index, happening] of happenings.entries()) {
    const progress = known.get(happening.commandId);
    if (!progress || !concerns(happening, progress.command)) {
      unknown.push(index);
      continue;
    }
    const note = advance(progress, happening, judge);
    notes.push(note);
    if (note.moved) changes.push({ ...progress.command, event: happening.event, at: happening.at });
  }
  await writeProgress(
    run,
    [...known.values()].filter(({ changed }) => changed),
  );
  await writeNotes(run, notes);
  return { changes, unknown };
}

const concerns = ({ tenantId, deviceId }: CommandHappening, command: CommandRecord): boolean =>
  tenantId === command.tenantId && (deviceId === undefined || deviceId === command.deviceId);

function advance(
  progress: Progress,
  happening: CommandHappening,
  judge: (schema: unknown, details: string | undefined) => string | undefined,
): Note {
  const { event, details } = happening;
  const { command } = progress;
  const next = nextStatus(command.status, event);
  const status = next ?? command.status;
  const at = new Date(happening.at);
  const sentAt = event === 'sent' ? (command.sentAt ?? at) : command.sentAt;
  if (next || sentAt !== command.sentAt) {
    progress.changed = true;
    progress.command = {
      ...command,
      ...{ status, sentAt },
      acknowledgedAt:
        next && isCommandAnswer(event) ? (command.acknowledgedAt ?? at) : command.acknowledgedAt,
      finishedAt: next && isFinished(next) ? at : command.finishedAt,
    };
  }
  if (next && details !== undefined) progress.details = details;
  if (next && event === 'ok') progress.problem = judge(command.response ?? undefined, details);
  return { command, happening, status, moved: next !== undefined };
}

async function writeProgress(run: RunSql, changed: readonly Progress[]): Promise<void> {
  if (changed.length === 0) return;
  const iso = (at: Date | null) => at?.toISOString() ?? null;
  await run(UPDATE, [
    changed.map(({ command }) => command.id),
    changed.map(({ command }) => command.status),
    changed.map(({ command }) => iso(command.sentAt)),
    changed.map(({ command }) => iso(command.acknowledgedAt)),
    changed.map(({ command }) => iso(command.finishedAt)),
    changed.map(({ details }) => details ?? null),
    changed.map(({ problem }) => problem ?? null),
  ]);
}

async function writeNotes(run: RunSql, notes: readonly Note[]): Promise<void> {
  if (notes.length === 0) return;
  await run(NOTE, [
    notes.map(({ command }) => command.tenantId),
    notes.map(({ command }) => command.id),
    notes.map(({ happening }) => happening.event),
    notes.map(({ status }) => status),
    notes.map(({ moved }) => moved),
    notes.map(({ happening }) => new Date(happening.at).toISOString()),
    notes.map(({ happening }) => happening.details ?? null),
  ]);
}
