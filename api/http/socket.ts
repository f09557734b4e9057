import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { handleProtocols, MessageType, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { requestError } from '#api/graphql/errors.ts';
import { present } from '#api/graphql/plugins.ts';
import { type GraphqlServer, MAX_BODY_BYTES } from '#api/graphql/server.ts';
import type { Answers } from '#api/graphql/subscriptions.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Presented, Viewer } from '#core/auth/viewer.ts';
import { clientAddress } from '#core/runtime/client-address.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { CredentialWatch } from './credential-watch.ts';
import type { Gate } from './gate.ts';
import { type SocketExtra, serveSocket } from './socket-transport.ts';

export interface SocketOptions {
  readonly graphql: GraphqlServer;
  readonly gate: Gate;
  readonly watch: CredentialWatch;
  /** How many proxies of ours stand in front. */
  readonly trustedProxies: number;
  readonly maxOperations: number;
  /** Web origins that may open sockets, besides pages served by the same host. */
  readonly allowedOrigins: readonly string[];
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** GraphQL over WebSocket, by the graphql-ws protocol. */
export interface SocketDoor {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Asks every client to come again (1012) and waits, at most two seconds, until they have gone. */
  close(): Promise<void>;
}

/** Codes that clients of ours know; those below 4400 are WebSocket's own. */
const CLOSE = {
  restarting: 1012,
  tryAgain: 1013,
  unauthenticated: 4401,
  revoked: 4403,
  limited: 4429,
} as const;
const CLOSE_DEADLINE_MS = 2_000;

interface Visitor {
  readonly viewer: Viewer;
  readonly gone: AbortController;
  stop(): void;
}

export function createSocketDoor(options: SocketOptions): SocketDoor {
  const { graphql, gate, log } = options;
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, handleProtocols });
  const visitors = new WeakMap<WebSocket, Visitor>();
  /** Of each operation, by its context. */
  const pipelines = new WeakMap<object, Pipeline>();
  const pipelineOf = (context: unknown): Pipeline => {
    const pipeline = typeof context === 'object' && context !== null ? pipelines.get(context) : undefined;
    if (!pipeline) throw new Error('an operation without a pipeline');
    return pipeline;
  };
  options.metrics.gauge('sockets', 'Open WebSockets', [], () => server.clients.size);

  const protocol = makeServer<Record<string, unknown> | undefined, SocketExtra>({
    async onConnect({ connectionParams, extra: { socket, request } }) {
      const presented: Presented = {
        authorization: readParam(connectionParams, 'authorization', 'Authorization'),
        tenant: readParam(connectionParams, 'tenant'),
        address: clientAddress(request, options.trustedProxies),
        requestId: randomUUID(),
      };
      try {
        const viewer = await gate.admit(presented);
        const visitor = admit(socket, viewer, presented, options);
        visitors.set(socket, visitor);
        if (socket.readyState !== socket.OPEN) visitor.stop();
        return true;
      } catch (error) {
        refuse(socket, error);
        return false;
      }
    },
    async onSubscribe({ extra: { socket, request }, subscriptions }, _id, params) {
      const visitor = visitors.get(socket);
      if (!visitor) return [requestError('UNAUTHENTICATED', 'not connected')];
      if (Object.keys(subscriptions).length > options.maxOperations) {
        socket.close(CLOSE.limited, `at most ${options.maxOperations} operations at once`);
        return [requestError('TOO_COMPLEX', 'too many operations')];
      }
      const requestId = randomUUID();
      const pipeline = graphql.getEnveloped({
        req: request,
        params,
        viewer: visitor.viewer,
        refused: undefined,
        requestId,
        ip: clientAddress(request, options.trustedProxies),
        log,
        socketSignal: visitor.gone.signal,
        answersTogether: true,
      });
      try {
        const document = pipeline.parse(params.query);
        const errors = pipeline.validate(pipeline.schema, document);
        if (errors.length > 0) return [...errors];
        const contextValue: object = await pipeline.contextFactory();
        pipelines.set(contextValue, pipeline);
        return {
          schema: pipeline.schema,
          document,
          operationName: params.operationName,
          variableValues: params.variables,
          contextValue,
        };
      } catch (error) {
        return [present(error, { requestId, log })];
      }
    },
    execute: (args) => pipelineOf(args.contextValue).execute(args),
    subscribe: (args) => pipelineOf(args.contextValue).subscribe(args),
    async onNext({ extra, subscriptions }, id, _payload, _args, answers: Sendable) {
      for (const answer of answers.earlier ?? []) {
        if (!(id in subscriptions)) break;
        const full = extra.send(JSON.stringify({ id, type: MessageType.Next, payload: format(answer) }));
        if (full) await full;
      }
      return format(answers);
    },
    onError: (_context, _id, _payload, errors) => errors.map(withoutHttp),
    onClose({ extra: { socket } }) {
      visitors.get(socket)?.stop();
    },
  });

  return {
    upgrade(request, socket, head) {
      if (!isAllowedOrigin(request, options.allowedOrigins)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (client) => serveSocket(protocol, client, request, log));
    },
    async close() {
      const leaving = [...server.clients].map(
        (client) => new Promise<void>((resolve) => client.once('close', () => resolve())),
      );
      for (const client of server.clients) client.close(CLOSE.restarting, 'restarting');
      await Promise.race([
        Promise.all(leaving),
        new Promise((resolve) => setTimeout(resolve, CLOSE_DEADLINE_MS).unref()),
      ]);
      for (const client of server.clients) client.terminate();
    },
  };
}

/** Watches a credential for as long as its socket is open. */
function admit(socket: WebSocket, viewer: Viewer, presented: Presented, options: SocketOptions): Visitor {
  const held = options.watch.hold(viewer, presented, (reason) =>
    socket.close(CLOSE.revoked, truncate(reason)),
  );
  const gone = new AbortController();
  return {
    viewer,
    gone,
    stop() {
      held.stop();
      gone.abort();
    },
  };
}

function refuse(socket: WebSocket, error: unknown): void {
  if (error instanceof UnavailableError) socket.close(CLOSE.tryAgain, reasonOf(error));
  else if (error instanceof AuthenticationError) {
    socket.close(error.code === 'UNAUTHENTICATED' ? CLOSE.unauthenticated : CLOSE.revoked, reasonOf(error));
  } else socket.close(CLOSE.tryAgain, 'who you are cannot be checked now');
}

/** A close reason has at most 123 bytes. */
const truncate = (reason: string): string => Buffer.from(reason).subarray(0, 120).toString();
const reasonOf = (error: Error): string => truncate(error.message);

function readParam(
  params: Readonly<Record<string, unknown>> | undefined,
  ...names: readonly string[]
): string | undefined {
  return names.map((name) => params?.[name]).find((value) => typeof value === 'string');
}

interface Sendable extends Pick<Answers, 'earlier'> {
  readonly data?: Record<string, unknown> | null | undefined;
  readonly errors?: readonly GraphQLError[] | undefined;
  readonly extensions?: Record<string, unknown> | undefined;
}

/** An answer as it is sent. */
const format = ({ data, errors, extensions }: Sendable): FormattedExecutionResult => ({
  ...(data !== undefined && { data }),
  ...(extensions && { extensions }),
  ...(errors && { errors: errors.map(withoutHttp) }),
});

type Pipeline = Pick<ReturnType<GraphqlServer['getEnveloped']>, 'execute' | 'subscribe'>;

/** What a socket has no use for. */
function withoutHttp(error: Pick<GraphQLError, 'toJSON'>): GraphQLFormattedError {
  const { extensions, ...formatted } = error.toJSON();
  const { http: _, ...rest } = extensions ?? {};
  return { ...formatted, ...(Object.keys(rest).length > 0 && { extensions: rest }) };
}

function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
