import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Plugin } from 'graphql-yoga';
import { type Bundled, bundlesOf } from './bundles.ts';
import { type ApiContext, present } from './plugins.ts';

type SubscriptionArgs = ExecutionArgs & { readonly contextValue: ApiContext };
type Answer = (payload: unknown) => ExecutionResult | PromiseLike<ExecutionResult>;

/**
 * Runs subscriptions. The selection of a document is compiled into a function when it is first subscribed to, because it is then
 * run for every event of every subscriber; a document that cannot be compiled is interpreted. Each event has its own
 * reads, which end with it, and shows callers only the errors that are meant for them.
 */
export function useSubscriptions(): Plugin<ApiContext> {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn(() => runSubscription(args));
    },
  };
}

/** The answer to an event. Where answers may come together, the one to the last of several, with those to the events before it. */
export interface Answers extends ExecutionResult {
  /** In order. */
  readonly earlier?: readonly ExecutionResult[];
}

/** The answers to each event, in order; or what is wrong with the subscription itself. */
export async function runSubscription(
  args: SubscriptionArgs,
): Promise<AsyncGenerator<Answers> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  return Symbol.asyncIterator in source ? answerEach(source, args) : source;
}

function answerEach(
  source: AsyncIterable<unknown> | Bundled<unknown>,
  args: SubscriptionArgs,
): AsyncGenerator<Answers> {
  const { contextValue: context } = args;
  const payloads = bundlesOf(source, context.answersTogether ?? false);
  const answer = answerOf(args);
  let bundle: readonly unknown[] = [];
  let answered = 0;
  const finish = async () => {
    bundle = [];
    await payloads.end();
    await context.finish?.();
  };
  return {
    async next() {
      try {
        if (answered >= bundle.length) {
          const next = await payloads.next();
          if (!next) {
            await context.finish?.();
            return { done: true, value: undefined };
          }
          bundle = next;
          answered = 0;
        }
        const answers: ExecutionResult[] = [];
        // An answer that has to be waited for goes at once, with those before it.
        for (let waited = false; !waited && answered < bundle.length; ) {
          const answering = answer(bundle[answered++]);
          waited = 'then' in answering;
          const result = 'then' in answering ? await answering : answering;
          const ended = context.refresh?.();
          if (ended) await ended;
          answers.push(result.errors ? withPresented(result, context) : result);
        }
        return { done: false, value: together(answers) };
      } catch (error) {
        await context.finish?.();
        throw present(error, context);
      }
    },
    async return() {
      await finish();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: finish,
  };
}

function together(answers: ExecutionResult[]): Answers {
  const last = answers.pop() ?? {};
  return answers.length === 0 ? last : { ...last, earlier: answers };
}

const withPresented = ({ errors, ...result }: ExecutionResult, context: ApiContext): ExecutionResult => ({
  ...result,
  ...(errors && { errors: errors.map((error) => present(error, context)) }),
});

function answerOf(args: SubscriptionArgs): Answer {
  const compiled = compile(args);
  if (!compiled) return (payload) => execute({ ...args, rootValue: payload });
  return (payload) => compiled.query(payload, args.contextValue, args.variableValues);
}

/** By document: the server keeps a bounded number of parsed documents, and what is compiled goes with them. */
const known = new WeakMap<DocumentNode, Map<string, CompiledQuery | undefined>>();

function compile({ schema, document, operationName }: SubscriptionArgs): CompiledQuery | undefined {
  const byName = known.get(document) ?? new Map<string, CompiledQuery | undefined>();
  known.set(document, byName);
  const name = operationName ?? '';
  if (!byName.has(name)) byName.set(name, compileAnew(schema, document, operationName));
  return byName.get(name);
}

function compileAnew(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): CompiledQuery | undefined {
  const compiled = compileQuery(schema, document, operationName ?? undefined, {
    customJSONSerializer: false,
  });
  return isCompiledQuery(compiled) ? compiled : undefined;
}
