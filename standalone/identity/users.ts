import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const KEY_BYTES = 32;

const user = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  /** The tenant's slug. */
  tenant: z.string(),
  role: z.enum(['VIEWER', 'OPERATOR', 'ENGINEER', 'ADMIN']),
  /** Operates the platform: has the role PLATFORM_OPERATOR besides. */
  operator: z.boolean().default(false),
  passwordHash: z.string(),
});

/** Somebody who can sign in. */
export type IdentityUser = z.output<typeof user>;

/** The users written by whoever starts this provider, as they are now: who is added may sign in at once. */
export function readUsers(path: string): IdentityUser[] {
  return z.array(user).parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** `salt:key`, both hexadecimal; the key is scrypt's with its default costs. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await derive(password, salt, KEY_BYTES)).toString('hex')}`;
}

/** The user, when e-mail (in any case) and password agree. Takes as long for an e-mail nobody has. */
export async function verifyUser(
  users: readonly IdentityUser[],
  email: string,
  password: string,
): Promise<IdentityUser | undefined> {
  const found = users.find((candidate) => candidate.email.toLowerCase() === email.trim().toLowerCase());
  const [salt = '', key = ''] = (found?.passwordHash ?? `${'00'.repeat(16)}:${'00'.repeat(KEY_BYTES)}`).split(
    ':',
  );
  const derived = await derive(password, Buffer.from(salt, 'hex'), KEY_BYTES);
  return timingSafeEqual(derived, Buffer.from(key, 'hex')) ? found : undefined;
}
