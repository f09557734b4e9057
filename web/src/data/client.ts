import { authExchange } from '@urql/exchange-auth';
import { Client, type CombinedError, type Exchange, fetchExchange, subscriptionExchange } from 'urql';
import type { Session } from '../auth/session.ts';
import { chosenTenant } from '../auth/tenant.ts';
import type { LiveClient } from '../live/live-client.ts';
import { createCache } from './cache.ts';

const endpoint = {
  url: '/graphql',
  preferGetMethod: false,
  fetchOptions: { credentials: 'omit', headers: { 'x-graphql-yoga-csrf': 'console' } },
} as const;

/** Creates the GraphQL client of the page: normalised cache, authentication over HTTP, live streams over the one socket. */
export function createDataClient(session: Session, live: LiveClient): Client {
  return new Client({
    ...endpoint,
    exchanges: [createCache(), authenticate(session), overLive(live), fetchExchange],
  });
}

/** Creates a client that authenticates alike and keeps nothing. It has no live streams. */
export function createDirectClient(session: Session): Client {
  return new Client({
    ...endpoint,
    requestPolicy: 'network-only',
    exchanges: [authenticate(session), fetchExchange],
  });
}

function authenticate(session: Session): Exchange {
  const tenant = chosenTenant();
  return authExchange(async (auth) => ({
    addAuthToOperation: (operation) =>
      auth.appendHeaders(operation, {
        authorization: `Bearer ${session.heldToken()}`,
        ...(tenant === undefined ? {} : { 'x-fleetgraph-tenant': tenant }),
      }),
    willAuthError: () => session.isExpired(),
    didAuthError: isUnauthenticated,
    refreshAuth: () => session.refresh().catch(() => undefined),
  }));
}

function overLive(live: LiveClient): Exchange {
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables = {}, operationName }) => ({
      subscribe: (sink) => ({
        unsubscribe: live.subscribe(
          { query, variables, ...(operationName === undefined ? {} : { operationName }) },
          {
            next: ({ data, errors }) =>
              sink.next(errors.length > 0 ? { data, errors: [...errors] } : { data }),
            error: (error) => sink.error(error),
          },
        ),
      }),
    }),
  });
}

function isUnauthenticated(error: CombinedError): boolean {
  const response: unknown = error.response;
  if (response instanceof Response && response.status === 401) return true;
  return error.graphQLErrors.some((each) => each.extensions['code'] === 'UNAUTHENTICATED');
}

/** What to tell a person about a failed request: one sentence, and the id under which the server logged it, if it said. */
export function describeError(error: CombinedError): { message: string; requestId: string | undefined } {
  if (error.networkError)
    return {
      message: 'The platform did not answer. Check the connection and try again.',
      requestId: undefined,
    };
  const first = error.graphQLErrors[0];
  const requestId: unknown = first?.extensions['requestId'];
  return {
    message: first?.message ?? error.message,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  };
}
