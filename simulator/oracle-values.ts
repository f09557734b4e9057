import type { Queryable } from '#core/db/pool.ts';
import type { Sample } from './known-set.ts';
import type { Played } from './known-set-player.ts';

/** The outcome, row by row. Everything but the first two and `reconnects` is to be 0. */
export interface KnownSetVerdict {
  /** Different samples with an acknowledgement. */
  readonly acknowledged: number;
  /** Rows of the set. */
  readonly stored: number;
  /** Acknowledged and not stored. */
  readonly lost: number;
  /** Rows beyond the first of the same sample. */
  readonly doubled: number;
  /** Rows of samples that were never sent. */
  readonly invented: number;
  /** Rows whose time or values are not what the device measured. */
  readonly wrong: number;
  readonly reconnects: number;
  /** The first few findings, in words. */
  readonly findings: readonly string[];
}

interface Row {
  readonly msg_id: string;
  readonly at: number;
  readonly metrics: Readonly<Record<string, unknown>>;
}

// A message numbered by its device has the id boot * 2^47 + seq.
const ROWS = `
  select r.msg_id - $3::bigint * 140737488355328 as msg_id, (extract(epoch from r.ts) * 1000)::float8 as at, r.metrics
  from readings r join devices d on d.id = r.device_id join tenants t on t.id = d.tenant_id
  where t.slug = $1 and d.key = $2
    and r.msg_id > $3::bigint * 140737488355328 and r.msg_id < ($3::bigint + 1) * 140737488355328`;
const MAX_FINDINGS = 10;

/** Compares every row of a set with what its device measured. */
export async function judgeKnownSet(
  database: Queryable,
  played: readonly Played[],
): Promise<KnownSetVerdict> {
  const sum = { acknowledged: 0, stored: 0, lost: 0, doubled: 0, invented: 0, wrong: 0, reconnects: 0 };
  const findings: string[] = [];
  for (const { device, plan, boot, beganAt, sent, acknowledged, reconnects } of played) {
    const find = (what: 'lost' | 'doubled' | 'invented' | 'wrong', seq: number, detail = '') => {
      sum[what] += 1;
      if (findings.length < MAX_FINDINGS) findings.push(`${device.key} ${seq}: ${what}${detail}`);
    };
    const numbersOf = (count: number) => new Set(plan.sends.slice(0, count).map(({ sample }) => sample.seq));
    const mayBeThere = numbersOf(sent);
    const mustBeThere = numbersOf(acknowledged);
    const seen = new Set<number>();
    const { rows } = await database.query<Row>(ROWS, [device.tenant, device.key, boot]);
    for (const row of rows) {
      const seq = Number(row.msg_id);
      const sample = plan.samples[seq - 1];
      if (!sample || !mayBeThere.has(seq)) find('invented', seq);
      else if (seen.has(seq)) find('doubled', seq);
      else if (!isAsMeasured(row, sample, beganAt)) find('wrong', seq, `, ${JSON.stringify(row)}`);
      seen.add(seq);
    }
    for (const seq of mustBeThere) if (!seen.has(seq)) find('lost', seq);
    sum.acknowledged += mustBeThere.size;
    sum.stored += rows.length;
    sum.reconnects += reconnects;
  }
  return { ...sum, findings };
}

function isAsMeasured(row: Row, sample: Sample, beganAt: number): boolean {
  const measured = Object.entries(sample.metrics);
  return (
    row.at === beganAt + sample.at &&
    Object.keys(row.metrics).length === measured.length &&
    measured.every(([name, value]) => row.metrics[name] === value)
  );
}
