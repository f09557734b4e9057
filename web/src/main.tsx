import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';
import { App } from './app.tsx';
import { openSession } from './auth/session.ts';
import { type Account, AccountProvider, viewerDocument } from './auth/viewer.tsx';
import { loadConfig } from './config.ts';
import { createDataClient, createDirectClient, describeError } from './data/client.ts';
import { createLiveClient } from './live/live-client.ts';
import { LiveProvider } from './live/live-context.tsx';
import { StartFailure } from './shell/start-failure.tsx';
import './styles.css';

const host = document.getElementById('root');
if (!host) throw new Error('index.html has no #root');
const root = createRoot(host);

async function start(): Promise<void> {
  const config = await loadConfig();
  const session = await openSession(config);
  if (!session) return;
  const live = createLiveClient({
    url: new URL('/graphql', location.href.replace(/^http/, 'ws')).href,
    accessToken: session.accessToken,
    refreshToken: session.refresh,
  });
  const client = createDataClient(session, live);
  const { data, error } = await client.query(viewerDocument, {});
  if (!data)
    throw new Error(error ? describeError(error).message : 'The platform did not say who is signed in.');
  const account: Account = { viewer: data.viewer, config, session, direct: createDirectClient(session) };
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

start().catch((error: unknown) => root.render(<StartFailure error={error} />));
