import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const hex = (bytes: number) => z.string().default(() => randomBytes(bytes).toString('hex'));
/** Without characters that look alike or need quoting in a shell. */
const word = (length: number) =>
  z
    .string()
    .default(() =>
      Array.from(randomBytes(length), (byte) => WORD_LETTERS[byte % WORD_LETTERS.length]).join(''),
    );
const WORD_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

const shape = z.object({
  /** 32 bytes; every other key of the platform is derived from it. */
  secretKey: hex(32),
  /** Those before it, newest first, until nothing is sealed under them any more. */
  previousSecretKeys: z.array(z.string()).default([]),
  /** Of PostgreSQL's superuser. */
  postgres: hex(24),
  roles: z.object({ app: hex(24), worker: hex(24), operator: hex(24) }).prefault({}),
  /** Of the client that programs sign in as. */
  machine: hex(32),
  people: z
    .object({ admin: word(12), engineer: word(12), viewer: word(12), operator: word(12) })
    .prefault({}),
  /** Both parts of the demo's API key, as core/auth/api-keys.ts makes them. */
  apiKey: z
    .object({ prefix: hex(6), secret: z.string().default(() => randomBytes(32).toString('base64url')) })
    .prefault({}),
  /** Tokens of the demo's devices, by key. */
  devices: z.record(z.string(), z.string()).default({}),
});

/** Everything random that has to be the same at the next start. */
export type Secrets = z.output<typeof shape>;

/** Reads `secrets.json` (mode 0600) in this folder, making what is missing from it. */
export function loadSecrets(folder: string): Secrets {
  const path = join(folder, 'secrets.json');
  const secrets = shape.parse(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});
  saveSecrets(folder, secrets);
  return secrets;
}

/** Replaces the file as a whole. */
export function saveSecrets(folder: string, secrets: Secrets): void {
  const path = join(folder, 'secrets.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
