import {
  type ExecutionResult,
  execute,
  GraphQLError,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { createLogger } from '#core/runtime/logger.ts';
import { bundled } from './bundles.ts';
import { runSubscription } from './subscriptions.ts';

const thing = new GraphQLObjectType({
  name: 'Thing',
  fields: {
    now: { type: GraphQLString, resolve: ({ text }: { text: string }) => text },
    later: { type: GraphQLString, resolve: async ({ text }: { text: string }) => `${text} later` },
    secret: { type: GraphQLString, resolve: () => Promise.reject(new Error('password 123')) },
    said: {
      type: GraphQLString,
      resolve: () => {
        throw new GraphQLError('for you', { extensions: { code: 'NOT_FOUND' } });
      },
    },
  },
});

const schemaOf = (things: () => AsyncIterable<unknown>) =>
  new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { ok: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: { thing: { type: thing, subscribe: things, resolve: (payload) => payload } },
    }),
  });

async function* two() {
  yield { text: 'one' };
  yield { text: 'two' };
}

const subscribe = (
  query: string,
  {
    things = two,
    variables = {},
  }: { things?: () => AsyncIterable<unknown>; variables?: Record<string, unknown> } = {},
) => {
  const [refresh, finish] = [vi.fn(() => undefined), vi.fn(async () => undefined)];
  const log = createLogger('test', 'silent');
  const contextValue = {
    viewer: undefined,
    refused: undefined,
    requestId: 'r-1',
    ip: null,
    log,
    refresh,
    finish,
  };
  const args = { schema: schemaOf(things), document: parse(query), variableValues: variables, contextValue };
  return { refresh, finish, args, run: () => runSubscription(args) };
};

const collect = async <Result>(answers: AsyncGenerator<Result> | ExecutionResult) => {
  if (!(Symbol.asyncIterator in answers)) throw new Error('no events');
  const results: Result[] = [];
  for await (const result of answers) results.push(result);
  return results;
};

describe('a subscription', () => {
  it('answers each event as the interpreter would, with fragments, aliases, directives and slow fields', async () => {
    const query = `subscription S($more: Boolean!) { thing { ...F a: now @include(if: $more) b: later @skip(if: $more) __typename } }
      fragment F on Thing { now later }`;
    for (const more of [true, false]) {
      const { args, run } = subscribe(query, { variables: { more } });
      const expected = await Promise.all(
        ['one', 'two'].map((text) => execute({ ...args, rootValue: { text } })),
      );
      expect(JSON.parse(JSON.stringify(await collect(await run())))).toEqual(
        JSON.parse(JSON.stringify(expected)),
      );
    }
  });

  it('ends the reads of each event, and those of the last', async () => {
    const { run, refresh, finish } = subscribe('subscription { thing { now } }');
    await collect(await run());
    expect(refresh).toHaveBeenCalledTimes(2);
    expect(finish).toHaveBeenCalledTimes(1);
  });

  it('shows only the errors that are meant for callers, and goes on', async () => {
    const { run } = subscribe('subscription { thing { now secret said } }');
    const results = await collect(await run());
    expect(results).toHaveLength(2);
    expect(results[1]?.data).toEqual({ thing: { now: 'two', secret: null, said: null } });
    const shown = results[1]?.errors?.map(({ message, extensions, path }) => ({
      message,
      code: extensions['code'],
      path,
    }));
    expect(shown).toContainEqual({ message: 'for you', code: 'NOT_FOUND', path: ['thing', 'said'] });
    expect(shown).toContainEqual({
      message: 'something went wrong on our side; the request id is r-1',
      code: 'INTERNAL',
      path: ['thing', 'secret'],
    });
  });

  it('answers what comes in one bundle together where the door takes it so, each event as if it had come alone', async () => {
    const bundles = async function* () {
      yield [{ text: 'one' }, { text: 'two' }, { text: 'three' }];
      yield [{ text: 'four' }];
    };
    const things = () => bundled(bundles(), async () => undefined);
    const take = async (query: string, lengths: readonly number[]) => {
      const alone = await collect(await subscribe(query, { things }).run());
      expect(alone).toHaveLength(4);
      const { args, refresh, finish } = subscribe(query, { things });
      const together = await collect(
        await runSubscription({ ...args, contextValue: { ...args.contextValue, answersTogether: true } }),
      );
      const told = together.map(({ earlier, ...last }) => [...(earlier ?? []), last]);
      expect(told.map((answers) => answers.length)).toEqual(lengths);
      expect(JSON.stringify(told.flat())).toBe(JSON.stringify(alone));
      expect([refresh.mock.calls.length, finish.mock.calls.length]).toEqual([4, 1]);
      return JSON.stringify(told);
    };
    await take('subscription { thing { now said } }', [3, 1]);
    // What has to be waited for holds nothing back.
    expect(await take('subscription { thing { now later secret } }', [1, 1, 1, 1])).not.toContain('password');
  });

  it('tells a failing source by an error that is meant for callers', async () => {
    const { run, finish } = subscribe('subscription { thing { now } }', {
      async *things() {
        yield { text: 'one' };
        throw new Error('password 123');
      },
    });
    const answers = await run();
    await expect(collect(answers)).rejects.toThrow(/^something went wrong on our side/);
    expect(finish).toHaveBeenCalledTimes(1);
  });
});
