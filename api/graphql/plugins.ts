import type {
  DocumentNode,
  ExecutionArgs,
  ExecutionResult,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { createGraphQLError, type Plugin } from 'graphql-yoga';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import { StrangerError, type Viewer } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { LATENCY_SECONDS } from '#core/runtime/metrics.ts';
import type { Operation } from './context.ts';
import { costOf } from './cost.ts';
import { isGraphqlError, presentError, refusal } from './errors.ts';
import { DOCUMENT_LIMITS, documentLimitsRule, findOperation, isAboutSchema } from './limits.ts';
import { isForStrangers } from './strangers.ts';

/** What the doors (HTTP, WebSocket) know about a request before it is parsed. */
export interface RequestContext {
  readonly viewer: Viewer | undefined;
  /** Why there is no viewer. */
  readonly refused: Error | undefined;
  readonly requestId: string;
  readonly ip: string | null;
  readonly log: Logger;
}

export interface ApiContext
  extends RequestContext,
    Partial<Pick<Operation, 'refresh' | 'goLive' | 'finish'>> {
  /** The door takes the answers to events that came at once in one piece: see `Answers`. */
  readonly answersTogether?: boolean;
}

/** Bounds what may be parsed and validated. */
export function useDocumentLimits(): Plugin {
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source, options) => parseFn(source, { ...options, maxTokens: DOCUMENT_LIMITS.tokens }));
    },
    onValidate({ addValidationRule }) {
      addValidationRule(documentLimitsRule);
    },
  };
}

/**
 * Decides before anything runs: who may ask at all, and whether it costs too much. Every answer says what it cost.
 * Without a credential only the schema itself can be looked at.
 */
export function useAdmission(schema: GraphQLSchema, maxCost: number): Plugin<ApiContext> {
  const admit = (
    args: ExecutionArgs & { readonly contextValue: ApiContext },
  ): { refused?: GraphQLError; cost?: number } => {
    const { document, operationName, variableValues, contextValue } = args;
    const operation = findOperation(document, operationName);
    if (!operation) return {};
    const { viewer, refused } = contextValue;
    if (refused && !isOpenTo(refused, operation, document)) return { refused: refusalOf(refused) };
    if (!viewer) return {};
    const cost = costOf(schema, document, operation, variableValues ?? {});
    if (cost !== undefined && cost > maxCost) {
      return {
        refused: refusal('TOO_COMPLEX', `the operation costs ${cost}; at most ${maxCost} are allowed`),
        cost,
      };
    }
    return cost === undefined ? {} : { cost };
  };
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const { refused, cost } = admit(args);
      const extensions =
        cost === undefined ? {} : { extensions: { cost: { requested: cost, maximum: maxCost } } };
      if (refused) {
        setResultAndStopExecution({ errors: [refused], ...extensions });
        return undefined;
      }
      return {
        onExecuteDone({ result, setResult }) {
          if (cost !== undefined && isSingle(result))
            setResult({ ...result, extensions: { ...result.extensions, ...extensions.extensions } });
        },
      };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const { refused } = admit(args);
      if (refused) setResultAndStopExecution({ errors: [refused] });
    },
  };
}

/** Everybody may look at the schema; whoever the provider vouches for may also accept an invitation. */
function isOpenTo(refused: Error, operation: OperationDefinitionNode, document: DocumentNode): boolean {
  if (!(refused instanceof AuthenticationError)) return false;
  if (refused instanceof StrangerError) return isForStrangers(operation, document);
  return refused.reason === 'missing' && isAboutSchema(operation, document);
}

function refusalOf(error: Error): GraphQLError {
  const presented = presentError(error);
  const code = presented?.extensions['code'];
  return refusal(
    typeof code === 'string' ? code : 'UNAVAILABLE',
    presented?.message ?? 'who you are cannot be checked now',
  );
}

/** Ends the read transaction of an operation; that of each event of a subscription ends in `useSubscriptions`. */
export function useReadScopes(): Plugin<ApiContext> {
  return {
    onExecute: ({ args }) => ({ onExecuteDone: async () => args.contextValue.finish?.() }),
    onSubscribe: ({ args }) => args.contextValue.goLive?.(),
  };
}

/** Shows callers the errors that are meant for them; anything else is logged and told by its request id only. */
export function useErrorPresentation(): Plugin<ApiContext> {
  const presentAll = (result: ExecutionResult, context: ApiContext): ExecutionResult =>
    result.errors ? { ...result, errors: result.errors.map((error) => present(error, context)) } : result;
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        if (isSingle(result) && result.errors) setResult(presentAll(result, args.contextValue));
      },
    }),
    onSubscribe: ({ args }) => ({
      onSubscribeError({ error, setError }) {
        setError(present(error, args.contextValue));
      },
      onSubscribeResult({ result, setResult }) {
        if (isSingle(result) && result.errors) setResult(presentAll(result, args.contextValue));
      },
    }),
  };
}

/** An error as callers may see it. Logs what they may not. */
export function present(
  error: unknown,
  { requestId, log }: Pick<RequestContext, 'requestId' | 'log'>,
): GraphQLError {
  const located = isGraphqlError(error) ? error : undefined;
  const original = located?.originalError ?? (located ? undefined : error);
  if (located && (!original || isGraphqlError(original))) return located;
  const shown =
    presentError(original) ??
    createGraphQLError(`something went wrong on our side; the request id is ${requestId}`, {
      extensions: { code: 'INTERNAL', requestId },
    });
  if (shown.extensions['code'] === 'INTERNAL')
    log.error({ err: original, requestId, path: located?.path }, 'operation failed');
  return createGraphQLError(shown.message, {
    extensions: shown.extensions,
    ...(located?.nodes && { nodes: located.nodes }),
    ...(located?.path && { path: located.path }),
  });
}

/** Times operations and logs each at debug level. */
export function useOperationMetrics(metrics: Metrics): Plugin<ApiContext> {
  const seconds = metrics.histogram('operation_seconds', 'Time to answer an operation', LATENCY_SECONDS, [
    'type',
    'outcome',
  ]);
  return {
    onExecute({ args }) {
      const started = performance.now();
      return {
        onExecuteDone({ result }) {
          const outcome = isSingle(result) && result.errors ? 'error' : 'ok';
          const elapsed = (performance.now() - started) / 1000;
          const { log, requestId } = args.contextValue;
          seconds.observe({ type: typeOf(args.document, args.operationName), outcome }, elapsed);
          log.debug({ requestId, operation: args.operationName, outcome, seconds: elapsed }, 'operation');
        },
      };
    },
  };
}

const typeOf = (document: DocumentNode, name: string | null | undefined): string =>
  findOperation(document, name)?.operation ?? 'query';

function isSingle<Result>(result: ExecutionResult | AsyncIterable<Result>): result is ExecutionResult {
  return !(Symbol.asyncIterator in result);
}
