import { createHash } from 'node:crypto';
import type { Context } from 'oidc-provider';

const STYLE = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #14181f; --soft: #5a6472; --line: #d5dae1;
  --accent: #0b62d6; --on-accent: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #0e1116; --card: #171b22; --ink: #e7ebf1; --soft: #9aa5b4; --line: #2c333d;
  --accent: #6aa9ff; --on-accent: #08131f; --bad: #ff8f86; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 24rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 2rem; }
header { display: flex; align-items: center; gap: .6rem; margin-bottom: 1.25rem; color: var(--soft); font-weight: 600; }
svg { width: 1.6rem; height: 1.6rem; color: var(--accent); }
h1 { font-size: 1.4rem; line-height: 1.2; margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; font-size: .9rem; margin-bottom: 1rem; }
input { display: block; width: 100%; margin-top: .3rem; padding: .6rem .75rem; font: inherit; font-weight: 400; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; }
button { width: 100%; padding: .7rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0;
  border-radius: 8px; cursor: pointer; }
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { margin: 0 0 1rem; padding: .6rem .75rem; border: 1px solid var(--bad); border-radius: 8px; color: var(--bad); }
p { color: var(--soft); } p:last-child { margin-bottom: 0; }`;

const MARK =
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><circle cx="5" cy="6" r="2.5"/><circle cx="19" cy="6" r="2.5"/><circle cx="12" cy="18" r="2.5"/><path d="M7.5 6h9M6.2 8.2l4.6 7.6M17.8 8.2l-4.6 7.6"/></svg>';

const SUBMIT_SCRIPT = "document.getElementById('op.logoutForm').submit()";

export interface SignInFields {
  readonly email: string;
  /** Why the last attempt was refused. */
  readonly problem?: string;
}

/** The sign-in form; it posts to its own address. */
export function renderSignIn(context: Context, { email, problem }: SignInFields): void {
  const emailFocus = email === '' ? ' autofocus' : '';
  const passwordFocus = email === '' ? '' : ' autofocus';
  const invalid = problem ? ' aria-invalid="true" aria-describedby="problem"' : '';
  render(
    context,
    'Sign in',
    `<form method="post">
${problem ? `<p role="alert" id="problem">${escapeHtml(problem)}</p>` : ''}
<label>E-mail<input name="email" type="email" autocomplete="username" required maxlength="254" value="${escapeHtml(email)}"${emailFocus}${invalid}></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required maxlength="512"${passwordFocus}${invalid}></label>
<button type="submit">Sign in</button>
</form>
<p>The terminal that runs Fleetgraph shows who can sign in.</p>`,
  );
}

/** Signs out at once when the console asks with its own token; anybody else gets a question. `form` comes from oidc-provider. */
export function renderSignOut(context: Context, form: string): void {
  const asked = context.oidc.entities['IdTokenHint'] !== undefined;
  const yes = '<input type="hidden" name="logout" value="yes"></form>';
  const button = '<button type="submit" form="op.logoutForm">Sign out</button>';
  const body = form.replace('</form>', yes) + button + (asked ? `<script>${SUBMIT_SCRIPT}</script>` : '');
  render(context, 'Sign out of Fleetgraph?', body);
}

export function renderSignedOut(context: Context): void {
  render(context, 'You are signed out', '<p>You can close this page.</p>');
}

/** A request that cannot go on: a stale link, or a client that is not ours. */
export function renderProblem(context: Context, message: string): void {
  render(
    context,
    'That did not work',
    `<p role="alert">${escapeHtml(message)}</p><p>Go back to the console and sign in again.</p>`,
  );
}

function render(context: Context, title: string, body: string): void {
  const digest = createHash('sha256').update(SUBMIT_SCRIPT).digest('base64');
  context.type = 'html';
  context.set(
    'content-security-policy',
    `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'; base-uri 'none'; frame-ancestors 'none'`,
  );
  context.set('cache-control', 'no-store');
  context.set('x-content-type-options', 'nosniff');
  context.set('referrer-policy', 'no-referrer');
  context.body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)} · Fleetgraph</title>
<style>${STYLE}</style></head>
<body><main><header>${MARK}<span>Fleetgraph</span></header><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
