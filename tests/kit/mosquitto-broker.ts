import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#standalone/ports.ts';
import { type SupervisedProcess, supervise } from '#standalone/supervise.ts';

export interface MosquittoBroker extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: SupervisedProcess;
}

/**
 * Debian's broker on a port of its own, without authentication, keeping whatever its clients have not acknowledged, as
 * docs/contracts.md asks of an outside broker.
 */
export async function openMosquitto(): Promise<MosquittoBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-mosquitto-'));
  const port = await freePort();
  const configuration = join(folder, 'mosquitto.conf');
  const lines = [
    'per_listener_settings true',
    `user ${userInfo().username}`,
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'log_type error',
    'log_type warning',
  ];
  writeFileSync(configuration, `${lines.join('\n')}\n`);
  const process = await supervise({
    name: 'mosquitto',
    command: 'mosquitto',
    args: ['-c', configuration],
    logFile: join(folder, 'mosquitto.log'),
    isReady: () => answers(port),
  });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    process,
    async [Symbol.asyncDispose]() {
      await process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
