import { createServer } from 'node:net';

/** Below the range that Linux hands out for outgoing connections, so that none of those can hold it. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Whether a server can listen there now. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Hands out ports that are free now and never the same one twice.
 * @throws Error when a port that was asked for explicitly is taken, or nothing is free nearby.
 */
export interface PortChooser {
  /** `preferred` or the next free one after it. */
  near(preferred: number, host?: string): Promise<number>;
  /** Exactly this one, or an error that names `flag`. */
  exactly(port: number, flag: string, host?: string): Promise<number>;
}

export function createPortChooser(): PortChooser {
  const given = new Set<number>();
  const take = async (port: number, host?: string) => {
    if (given.has(port) || !(await isFree(port, host))) return false;
    given.add(port);
    return true;
  };
  return {
    async near(preferred, host) {
      for (let port = preferred; port < preferred + 100; port += 1) if (await take(port, host)) return port;
      throw new Error(`ports ${preferred} to ${preferred + 99} are all taken`);
    },
    async exactly(port, flag, host) {
      if (await take(port, host)) return port;
      throw new Error(
        `port ${port} is taken: end the program that listens there, or choose another with ${flag}`,
      );
    },
  };
}

/**
 * A port nobody listens on, for a test's own server. It is this process's as long as it runs, also while nothing listens there: nobody
 * else who asks here is given it.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if ((await isFree(port)) && (await claim(port))) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT}`);
}

/** Ports that were handed out; where there are no sockets by an abstract name, the claim holds within this process only. */
const handedOut = new Set<number>();

/** Takes a name that Linux gives to one process at a time and takes back when that ends. */
async function claim(port: number): Promise<boolean> {
  if (handedOut.has(port)) return false;
  const server = createServer();
  const taken = await new Promise<boolean>((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen(`\0fleetgraph-port-${port}`, () => resolve(false));
  });
  server.unref();
  if (!taken) handedOut.add(port);
  return !taken;
}
