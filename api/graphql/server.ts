import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Pool } from 'pg';
import type { Platform } from '#api/platform.ts';
import { StrangerError } from '#core/auth/viewer.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { createOperation } from './operation.ts';
import {
  type RequestContext,
  useAdmission,
  useDocumentLimits,
  useErrorPresentation,
  useOperationMetrics,
  useReadScopes,
} from './plugins.ts';
import { schema } from './schema.ts';
import { strangerOf } from './strangers.ts';
import { useSubscriptions } from './subscriptions.ts';

export interface GraphqlOptions {
  readonly pool: Pool;
  readonly platform: Platform;
  readonly metrics: Metrics;
  readonly timeoutMs: number;
  readonly maxCost: number;
  readonly allowedOrigins: readonly string[];
}

/** What a door hands over with a request. */
export interface ServerContext extends RequestContext {
  /** Aborted when a WebSocket has gone; HTTP requests carry their own signal. */
  readonly socketSignal?: AbortSignal;
  /** Aborted, with the error to answer, when the credential has ended before the operation began. */
  readonly ended?: AbortSignal;
  /** See `ApiContext`. */
  readonly answersTogether?: boolean;
}

export type GraphqlServer = YogaServerInstance<
  ServerContext & { req?: IncomingMessage; res?: ServerResponse },
  object
>;

export const MAX_BODY_BYTES = 262_144;

/** Headers that a browser sends across origins only after asking: proof that no other site's form has sent the request. */
const PREFLIGHTED_HEADERS = [
  'authorization',
  'x-graphql-yoga-csrf',
  'x-requested-with',
  'apollo-require-preflight',
];

/** GraphQL over HTTP and SSE; the WebSocket door uses its pipeline too. */
export function createGraphqlServer(options: GraphqlOptions): GraphqlServer {
  const { pool, platform, metrics, timeoutMs } = options;
  return createYoga<ServerContext & { req?: IncomingMessage; res?: ServerResponse }, object>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    logging: false,
    multipart: false,
    batching: false,
    maskedErrors: true,
    maxRequestBodySize: MAX_BODY_BYTES,
    cors:
      options.allowedOrigins.length > 0 ? { origin: [...options.allowedOrigins], credentials: false } : false,
    // The page brings its own script and style: it works where there is no internet.
    renderGraphiQL,
    graphiql: {
      title: 'Fleetgraph API',
      subscriptionsProtocol: 'WS',
      defaultQuery: EXAMPLES,
      headers: JSON.stringify({ authorization: 'Bearer <access token or API key>' }),
    },
    context({ viewer: member, refused, requestId, ip, log, request, socketSignal, ended }) {
      if (ended?.aborted) return { viewer: undefined, refused: ended.reason };
      const viewer = member ?? (refused instanceof StrangerError ? strangerOf(refused.person) : undefined);
      if (!viewer) return {};
      const signal = socketSignal ?? request?.signal;
      return createOperation({ viewer, requestId, ip, log, pool, platform, timeoutMs, signal });
    },
    plugins: [
      {
        onRequestParse({ request, url, endResponse, fetchAPI }) {
          if (isPreflighted(request) || !isOperation(request, url)) return;
          const message = `send content-type: application/json or one of the headers ${PREFLIGHTED_HEADERS.join(', ')}`;
          const body = JSON.stringify({ errors: [{ message, extensions: { code: 'CSRF' } }] });
          endResponse(
            new fetchAPI.Response(body, { status: 403, headers: { 'content-type': 'application/json' } }),
          );
        },
      },
      useDocumentLimits(),
      useOperationMetrics(metrics),
      useErrorPresentation(),
      useAdmission(schema, options.maxCost),
      useReadScopes(),
      useSubscriptions(),
    ],
  });
}

function isPreflighted(request: Request): boolean {
  const contentType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const simple = ['', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
  return !simple.includes(contentType) || PREFLIGHTED_HEADERS.some((name) => request.headers.has(name));
}

const isOperation = (request: Request, url: URL): boolean =>
  request.method === 'POST' || (request.method === 'GET' && url.searchParams.has('query'));

const EXAMPLES = `# Put your access token or API key into the headers below.
query Fleet {
  viewer { name role tenant { name } }
  devices(first: 10, orderBy: { field: LAST_SEEN_AT, direction: DESC }) {
    nodes { key name presence { connection freshness lastSeenAt } latest { metric value at } }
    pageInfo { hasNextPage endCursor }
  }
}

subscription Live {
  telemetry(maxHz: 1) {
    ... on TelemetrySnapshot { cursor devices { device { key } values { metric value } } }
    ... on TelemetryReading { cursor device { key } at metrics }
    ... on StreamGap { cursor reason missed }
  }
}
`;
