import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExpiredReadings } from '#core/db/retention.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const QUERY = `{ viewer { tenant { conservation { accepted stored duplicate quarantined deadLettered inFlight complete difference
  days(last: 1) { day accepted stored } } } } }`;

describe('conservation', () => {
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let processes: TestProcesses;
  let frames: TestFrames;
  let acme: TenantSeed;
  let other: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    acme = await seedTenant(api.database.admin, 'acme', 30);
    other = await seedTenant(api.database.admin, 'other', 30);
    key = await acme.apiKey('VIEWER');
    processes = opened.use(
      await startProcesses({
        database: api.database,
        natsUrl: api.nats.url,
        start: ['ingest', 'janitor'],
        env: { JANITOR_FOLD_INTERVAL_MS: '100' },
      }),
    );
    frames = opened.use(openTestFrames(api.bus));
  });
  afterAll(() => opened.disposeAsync());

  const ask = async (credential = key) => {
    const { data, errors } = await api.ask(credential, QUERY);
    expect(errors).toEqual([]);
    return data.viewer.tenant.conservation;
  };
  const settled = (accepted: number) =>
    until('everything to be settled', async () => {
      const account = await ask();
      return account.accepted === accepted && account.inFlight === 0 && account;
    });
  const conserve = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['standalone/conserve/main.ts'], {
      env: { ...process.env, DATABASE_URL: api.database.workerUrl, NATS_URL: api.nats.url },
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };
  const sql = (text: string, ...values: unknown[]) => api.database.admin.query(text, values);
  const deadLetters = async (stream: string) =>
    (await sql('select from dead_letters where stream = $1', stream)).rowCount;

  it('gives everything that was accepted exactly one place', async () => {
    await acme.device('meter');
    await other.device('meter');
    const ts = Date.now();
    for (let times = 0; times < 2; times++)
      await frames.send('acme', 'meter', { ts, seq: 1, metrics: { a: 1 } });
    await frames.send('acme', 'meter', [
      { seq: 2, metrics: { a: 1 } },
      { seq: 3, metrics: { a: null } },
    ]);
    await frames.send('acme', 'meter', 'no json');
    await frames.send('acme', 'stranger', [{ a: 1 }, { a: 2 }]);
    await frames.send('acme', 'meter', '{}', { kind: 'heartbeat' });
    await frames.send('other', 'meter', { a: 1 });
    await frames.send('nowhere', 'meter', { a: 1 });
    expect(await settled(6)).toEqual({
      ...{ accepted: 6, stored: 2, duplicate: 1, quarantined: 3, deadLettered: 0 },
      ...{ inFlight: 0, complete: true, difference: 0 },
      days: [{ day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), accepted: 6, stored: 2 }],
    });
    await until('the dead letter', async () => (await deadLetters('TELEMETRY')) === 1);
    const { status, output } = conserve();
    expect(output).toContain('Everything that was accepted has its place.');
    expect(output).toMatch(/acme +6 +2 +1 +3 +0 +0 +0 +2 +2/);
    expect(output).toMatch(/\(no tenant\) +1 +0 +0 +0 +1/);
    expect(output).toMatch(/gateway-test +accepted by +\d/);
    expect(output).toMatch(/ingest-\w+ +stored by +\d/);
    expect(status).toBe(0);
  });

  it('keeps account of acknowledgements on their own stream: a sign of life, or turned away', async () => {
    const before = await ask();
    const meter = await sql("select id from devices where key = 'meter' and tenant_id = $1", acme.id);
    const made = await sql(
      `insert into device_commands (tenant_id, device_id, type, params, actor, expires_at)
       values ($1, $2, 'reboot', '{}', 'user:1', now() + interval '1 hour') returning command_id`,
      acme.id,
      meter.rows[0].id,
    );
    const ack = (commandId: string) =>
      frames.send('acme', 'meter', { command_id: commandId, status: 'ok' }, { kind: 'command_ack' });
    await ack(made.rows[0].command_id);
    await ack('0b6e1f0a-0000-4000-8000-000000000001');
    await frames.send('acme', 'meter', '{}', { kind: 'ota_status' });
    await frames.send('nowhere', 'meter', '{}', { kind: 'command_ack' });
    const after = await settled(before.accepted + 2);
    expect(after).toMatchObject({
      quarantined: before.quarantined + 2,
      stored: before.stored,
      difference: 0,
    });
    const turnedAway = await sql('select id, reason from quarantine order by id desc limit 2');
    expect(turnedAway.rows.map((row) => row.reason).sort()).toEqual(['NOT_SUPPORTED', 'UNKNOWN_COMMAND']);
    const where = await sql(
      'select stream, count(*)::int as frames from ingest_frames group by stream order by 1',
    );
    expect(where.rows).toMatchObject([{ stream: 'COMMANDS' }, { stream: 'TELEMETRY' }]);
    await until('the dead letter', async () => (await deadLetters('COMMANDS')) === 1);

    const { status, output } = conserve();
    expect(output).toMatch(
      /Stream COMMANDS: sequences 1 to \d, \d frames with an outcome, 0 on the stream, 0 missing, 0 doubled/,
    );
    expect(output).toContain('Stream SHADOW: nothing so far');
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  it('counts what lies on the stream while nobody stores it, and nothing twice when somebody does', async () => {
    const before = await ask();
    processes.get('ingest').kill('SIGSTOP');
    try {
      const messages = Array.from({ length: 40 }, (_, n) => ({
        device: 'meter',
        payload: [{ n }, { n: -n - 1 }],
      }));
      await frames.sendAll('acme', messages);
      const waiting = await until('all of it', async () => {
        const account = await ask();
        return account.inFlight === 80 && account;
      });
      expect(waiting).toMatchObject({
        ...{ accepted: before.accepted + 80, stored: before.stored, complete: true, difference: 0 },
      });
      const { status, output } = conserve();
      expect({ status, output }).toMatchObject({
        status: 0,
        output: expect.stringMatching(/acme .* 80 +0 /),
      });
    } finally {
      processes.get('ingest').kill('SIGCONT');
    }
    const seen: number[] = [];
    await until('the rows', async () => {
      const { accepted, inFlight } = await ask();
      seen.push(accepted);
      return inFlight === 0;
    });
    expect(new Set(seen)).toEqual(new Set([before.accepted + 80]));
  });

  it('counts what nobody has added up yet', async () => {
    const before = await ask();
    processes.get('janitor').kill('SIGSTOP');
    try {
      await frames.send('acme', 'meter', { ts: Date.now(), metrics: { a: 1 } });
      await frames.send('acme', 'meter', 'no json');
      await settled(before.accepted + 2);
      const { status, output } = conserve();
      expect({ status, output }).toMatchObject({ status: 0 });
    } finally {
      processes.get('janitor').kill('SIGCONT');
    }
  });

  it('is exact after ingest was killed in the middle', async () => {
    const before = await ask();
    const restarts = processes.get('ingest').restarts;
    for (let round = 0; round < 10; round++) {
      const payload = Array.from({ length: 50 }, (_, n) => ({
        seq: 1_000 + round * 50 + n,
        ts: Date.now(),
        metrics: { n },
      }));
      await frames.sendAll(
        'acme',
        [...payload, ...payload].map((each) => ({ device: 'meter', payload: each })),
      );
      if (round === 4) processes.get('ingest').kill('SIGKILL');
    }
    await until('the restart', () => processes.get('ingest').restarts > restarts);
    const after = await settled(before.accepted + 1_000);
    expect(after).toMatchObject({
      ...{ stored: before.stored + 500, duplicate: before.duplicate + 500, difference: 0 },
    });
    const { status, output } = conserve();
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  it('counts out what has expired', async () => {
    const device = await acme.device('aged');
    const ts = Date.now() - 29 * 86_400_000;
    const { accepted } = await ask();
    await frames.send('acme', 'aged', { ts, metrics: { a: 1 } });
    await settled(accepted + 1);
    await sql('update tenants set retention_days = 20 where id = $1', acme.id);
    await until('the row to expire', async () => {
      await deleteExpiredReadings(api.database.worker, 100);
      return (await sql('select from readings where device_id = $1', device.id)).rowCount === 0;
    });
    await sql('update tenants set retention_days = 30 where id = $1', acme.id);
    expect(conserve()).toMatchObject({ status: 0 });
  });

  it('names the tenant whose row is missing, the frame that is missing, and the row that is too many', async () => {
    const { rows } = await sql(
      'delete from readings where ctid = any(array(select ctid from readings where tenant_id = $1 limit 1)) and tenant_id = $1 returning *',
      other.id,
    );
    expect(rows).toHaveLength(1);
    const missing = conserve();
    expect(missing).toMatchObject({ status: 1 });
    const today = rows[0].stored_at.toISOString().slice(0, 10);
    expect(missing.output).toContain(
      `DIFFERENCE  tenant other, ${today}: 1 of 1 rows are missing in readings`,
    );
    expect(missing.output).not.toContain('DIFFERENCE  tenant acme');

    const [row] = rows;
    const back = `insert into readings (tenant_id, device_id, ts, msg_id, received_at, stored_at, metrics) values ($1, $2, $3, $4, $5, $6, $7)`;
    await sql(
      back,
      row.tenant_id,
      row.device_id,
      row.ts,
      row.msg_id,
      row.received_at,
      row.stored_at,
      row.metrics,
    );
    expect(conserve()).toMatchObject({ status: 0 });
    await sql(back, row.tenant_id, row.device_id, row.ts, '77', row.received_at, row.stored_at, row.metrics);
    expect(conserve().output).toContain(`tenant other, ${today}: 1 rows in readings that no frame stored`);
    await sql('delete from readings where msg_id = 77 and tenant_id = $1', other.id);

    const gone = await sql(
      'delete from ingest_frames where (framed_at, batch_id) in (select framed_at, batch_id from ingest_frames order by stream_sequence offset 3 limit 1) returning stream, stream_sequence',
    );
    const lost = conserve();
    expect(lost).toMatchObject({ status: 1 });
    expect(lost.output).toContain(
      `1 frames of the stream ${gone.rows[0].stream} have no outcome and are not on it any more: sequence ${gone.rows[0].stream_sequence}`,
    );
  });

  it('says what is missing when it cannot be told', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['standalone/conserve/main.ts', '--data', '/nowhere'],
      {
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no platform runs in /nowhere'),
    });
  });

  it('shows the sums of every tenant as metrics', async () => {
    const url = `http://127.0.0.1:${processes.healthPort('janitor')}/metrics`;
    await until('the sums', async () => {
      const text = await (await fetch(url)).text();
      return (
        /fleetgraph_janitor_readings\{tenant="acme",outcome="stored"\} \d{3}/.test(text) &&
        text.includes('fleetgraph_janitor_readings_difference{tenant="acme"} 0')
      );
    });
  });
});
