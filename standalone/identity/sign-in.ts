import type { IncomingMessage } from 'node:http';
import type { Context, Provider } from 'oidc-provider';
import { renderProblem, renderSignIn } from './pages.ts';
import { type IdentityUser, verifyUser } from './users.ts';

const MAX_FORM_BYTES = 4096;
/** Wrong passwords allowed for one e-mail in `WINDOW_MS`. */
const MAX_FAILURES = 10;
const WINDOW_MS = 5 * 60_000;
const MAX_REMEMBERED = 1000;

/** Serves `/interaction/{id}`: shows the form, checks it, and hands the browser back to the provider. */
export function addSignIn(provider: Provider, users: () => readonly IdentityUser[]): void {
  const failures = new Map<string, { count: number; since: number }>();
  provider.use(async (context, next) => {
    if (!/^\/interaction\/[\w-]+$/.test(context.path)) return next();
    const interaction = await provider.interactionDetails(context.req, context.res).catch(() => undefined);
    if (!interaction) {
      context.status = 400;
      return renderProblem(context, 'This sign-in has expired or was opened in another browser.');
    }
    const hint = interaction.params['login_hint'];
    if (context.method !== 'POST')
      return renderSignIn(context, { email: typeof hint === 'string' ? hint : '' });
    return receive(context, provider, users, failures);
  });
}

async function receive(
  context: Context,
  provider: Provider,
  users: () => readonly IdentityUser[],
  failures: Map<string, { count: number; since: number }>,
): Promise<void> {
  const form = await readForm(context.req);
  const email = form?.get('email') ?? '';
  const past = failures.get(email);
  if (past && past.count >= MAX_FAILURES && Date.now() - past.since < WINDOW_MS) {
    context.status = 429;
    return renderSignIn(context, { email, problem: 'Too many attempts. Wait five minutes and try again.' });
  }
  const user = await verifyUser(users(), email, form?.get('password') ?? '');
  if (!user) {
    const recent = past && Date.now() - past.since < WINDOW_MS ? past : { count: 0, since: Date.now() };
    failures.set(email, { ...recent, count: recent.count + 1 });
    if (failures.size > MAX_REMEMBERED) failures.delete(failures.keys().next().value ?? '');
    context.status = 401;
    return renderSignIn(context, { email, problem: 'E-mail or password is wrong.' });
  }
  failures.delete(email);
  context.respond = false;
  const result = { login: { accountId: user.id } };
  await provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission: false });
}

/** Undefined when the form is larger than any real one. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_FORM_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
