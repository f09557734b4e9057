import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { type Client, Provider } from 'urql';
import { App } from './app.tsx';
import { openSession, type Session } from './auth/session.ts';
import { chosenTenant, forgetTenant } from './auth/tenant.ts';
import { type Account, AccountProvider, viewerDocument } from './auth/viewer.tsx';
import { loadConfig } from './config.ts';
import { createDataClient, createDirectClient, describeError } from './data/client.ts';
import type { Role } from './generated/graphql.ts';
import { createLiveClient } from './live/live-client.ts';
import { LiveProvider } from './live/live-context.tsx';
import { openBackGate } from './shell/back-gate.ts';
import { StartFailure } from './shell/start-failure.tsx';
import './styles.css';

const host = document.getElementById('root');
if (!host) throw new Error('index.html has no #root');
const root = createRoot(host);

async function start(): Promise<void> {
  const config = await loadConfig();
  const session = await openSession(config);
  if (!session) return;
  if (location.pathname === '/invitation') return showInvitation(session);
  const direct = createDirectClient(session);
  let role: Role | undefined;
  const live = createLiveClient({
    url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
    accessToken: session.accessToken,
    async refreshToken() {
      await session.refresh();
      if (await isAnotherNow(direct, role)) location.reload();
    },
    tenant: chosenTenant(),
  });
  const client = createDataClient(session, live);
  const { data, error } = await client.query(viewerDocument, {});
  if (!data) {
    // It may be the tenant chosen that is closed to them now: the next try is for whichever is open.
    forgetTenant();
    throw new Error(error ? describeError(error).message : 'The platform did not say who is signed in.');
  }
  role = data.viewer.role;
  const account: Account = { viewer: data.viewer, config, session, direct };
  openBackGate();
  root.render(
    <StrictMode>
      <AccountProvider value={account}>
        <LiveProvider value={live}>
          <Provider value={client}>
            <App />
          </Provider>
        </LiveProvider>
      </AccountProvider>
    </StrictMode>,
  );
}

/** Whether somebody is no longer let in, or in another role than the page was made for: it begins anew then. */
async function isAnotherNow(direct: Client, role: Role | undefined): Promise<boolean> {
  const { data, error } = await direct.query(viewerDocument, {});
  if (data) return role !== undefined && data.viewer.role !== role;
  const codes = error?.graphQLErrors.map(({ extensions }) => extensions['code']) ?? [];
  return codes.includes('FORBIDDEN') || codes.includes('TENANT_SUSPENDED');
}

/** Also for somebody who belongs to no tenant yet, and may see nothing else. */
async function showInvitation(session: Session): Promise<void> {
  const { AcceptInvitation } = await import('./features/settings/accept-invitation.tsx');
  root.render(
    <StrictMode>
      <Provider value={createDirectClient(session)}>
        <AcceptInvitation token={location.hash.slice(1)} session={session} />
      </Provider>
    </StrictMode>,
  );
}

start().catch((error: unknown) => root.render(<StartFailure error={error} />));
