import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createSecretBox } from '#core/auth/secrets.ts';
import { parseConfig, secretConfig } from '#core/runtime/config.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import { takeInstanceLock } from '../instance-lock.ts';
import { PROJECT } from '../node-process.ts';
import { withClient } from '../roles.ts';
import { loadSecrets, saveSecrets } from '../secrets.ts';
import { type Resealed, resealAll } from './reseal.ts';

const USAGE = `Usage: npm run secrets -- rotate|status [flags]

  rotate   Of a platform of \`npm start\`, which must not be running: makes a new secret. The next start seals
           everything under it and forgets the one before.
           With FLEETGRAPH_SECRET_KEY set: seals everything in DATABASE_URL under that key that was sealed under
           one of FLEETGRAPH_SECRET_KEYS_PREVIOUS. Can be interrupted and called again.
  status   With FLEETGRAPH_SECRET_KEY set: counts what is sealed under which key.

  --data DIR     the folder of \`npm start\` (default .fleetgraph in this folder)
  DATABASE_URL   with every right, as migrations use it
`;

function rotateFolder(folder: string): void {
  if (!existsSync(join(folder, 'secrets.json'))) throw new Error(`there is no platform in ${folder}`);
  using _lock = takeInstanceLock(folder);
  const secrets = loadSecrets(folder);
  saveSecrets(folder, {
    ...secrets,
    secretKey: randomBytes(32).toString('hex'),
    previousSecretKeys: [secrets.secretKey, ...secrets.previousSecretKeys],
  });
  console.log('A new secret is made. The next `npm start` seals everything under it.');
}

async function visitDatabase(write: boolean): Promise<boolean> {
  const databaseUrl = process.env['DATABASE_URL'];
  if (!databaseUrl) throw new Error('set DATABASE_URL, as migrations use it');
  const config = parseConfig(secretConfig, process.env);
  const box = createSecretBox(config.FLEETGRAPH_SECRET_KEY, config.FLEETGRAPH_SECRET_KEYS_PREVIOUS);
  const results = await withClient(databaseUrl, async (client) => {
    await client.query('set role fleetgraph_owner');
    return resealAll({ client, box, write });
  });
  console.log(`The newest key is ${box.keyId}.`);
  for (const result of results) console.log(describe(result));
  return results.every(({ failed }) => failed.length === 0);
}

function describe({ place, found, resealed, failed }: Resealed): string {
  const keys = Object.entries(found).map(([key, count]) => `${count} under ${key}`);
  const lines = [
    `  ${place}: ${keys.join(', ') || 'nothing'}${resealed > 0 ? `; ${resealed} sealed anew` : ''}`,
  ];
  return [...lines, ...failed.map((why) => `    NOT: ${why}`)].join('\n');
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { data: { type: 'string' }, help: { type: 'boolean' } },
  });
  const [command] = positionals;
  if (values.help || (command !== 'rotate' && command !== 'status') || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  if (process.env['FLEETGRAPH_SECRET_KEY']) return (await visitDatabase(command === 'rotate')) ? 0 : 1;
  if (command === 'status') throw new Error('set FLEETGRAPH_SECRET_KEY and DATABASE_URL');
  rotateFolder(resolve(values.data ?? join(PROJECT, '.fleetgraph')));
  return 0;
}

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  console.error(errorMessage(error));
  return 2;
});
