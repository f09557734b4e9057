import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds by process name, since each began. */
export type CpuSeconds = ReadonlyMap<string, number>;

/** Linux counts CPU time in hundredths of a second wherever Node runs (`USER_HZ`). */
const TICKS_PER_SECOND = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly environment: string;
  readonly seconds: number;
}

/**
 * What every process of a platform has used: ours and nats-server are found by the bus they use, PostgreSQL by its
 * port, its workers counted with it. Linux only; elsewhere nothing is found.
 */
export function readCpu(natsUrl: string, databaseUrl: string): CpuSeconds {
  const all = listProcesses();
  const natsPort = new URL(natsUrl).port;
  const postgresPort = new URL(databaseUrl).port;
  const used = new Map<string, number>();
  const add = (name: string, seconds: number) => used.set(name, (used.get(name) ?? 0) + seconds);
  for (const one of all) {
    const own = /\/(?:workers\/)?([a-z]+)\/main\.ts$/.exec(one.command)?.[1];
    if (own && one.environment.includes(`NATS_URL=${natsUrl}\0`)) add(own, one.seconds);
    else if (one.command.includes(`/nats.conf`) && listensFor(one.command, natsPort))
      add('nats', one.seconds);
    else if (/\bpostgres\b/.test(one.command) && one.command.includes(`port=${postgresPort}`)) {
      add('postgres', one.seconds);
      for (const child of all) if (child.parent === one.pid) add('postgres', child.seconds);
    }
  }
  return used;
}

/** The configuration file named on nats-server's command line says which port it serves. */
function listensFor(command: string, port: string): boolean {
  const file = command.split(' ').find((word) => word.endsWith('/nats.conf'));
  if (file === undefined) return false;
  try {
    return new RegExp(`^port: ${port}$`, 'm').test(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}

function listProcesses(): Process[] {
  return entries('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
      const seconds = ticks / TICKS_PER_SECOND;
      return [
        { pid: Number(name), parent: Number(fields[1]), command, environment: environmentOf(name), seconds },
      ];
    } catch {
      return [];
    }
  });
}

/** Empty of a process that is about to end: what it has used counts nevertheless. */
function environmentOf(pid: string): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return '';
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
