import { getNamedType, isObjectType } from 'graphql';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGlobalId } from '#api/graphql/global-ids.ts';
import { permissionsOf, ROLES, type Role } from '#core/auth/permissions.ts';
import { digestOf } from '#tests/isolation/digest.ts';
import { type Estate, openEstate } from '#tests/isolation/estate.ts';
import {
  ABOUT_THE_PLATFORM,
  BY_SECRET,
  FOR_OPERATORS,
  fieldExamples,
  mutations,
  queries,
  subscriptions,
} from '#tests/isolation/examples.ts';
import { makeHappen } from '#tests/isolation/happenings.ts';
import { readSchema } from '#tests/isolation/schema.ts';
import { collectSecrets, leaksIn, MARKER } from '#tests/isolation/secrets.ts';
import { type Arguments, type Walk, walksFrom } from '#tests/isolation/walks.ts';
import { collect, openTestApi, type TestApi } from '#tests/kit/api.ts';
import { until } from '#tests/kit/wait.ts';

const schema = readSchema();

/** Alpha's secrets are looked for in whatever Bravo is told, in every role. */
let api: TestApi;
let alpha: Estate;
let bravo: Estate;
let alphaAdmin: string;
const keysOfBravo = new Map<Role, string>();
const secrets = new Set<string>();

beforeAll(async () => {
  api = await openTestApi({ env: { MAX_COST: '1000000' } });
  alpha = await openEstate(api, MARKER);
  bravo = await openEstate(api, 'bravo');
  alphaAdmin = await api.apiKey(alpha.tenant);
  for (const role of ROLES) keysOfBravo.set(role, await api.apiKey(bravo.tenant, role));
  for (const id of Object.values(alpha.ids)) secrets.add(id);
});
afterAll(() => api[Symbol.asyncDispose]());

const fieldsOf = (type: ReturnType<typeof schema.getQueryType>) => Object.values(type?.getFields() ?? {});
const queryFields = fieldsOf(schema.getQueryType());
const mutationFields = fieldsOf(schema.getMutationType());
const subscriptionFields = fieldsOf(schema.getSubscriptionType());
const nodeTypes = Object.values(schema.getTypeMap()).filter(
  (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'),
);

function exampleOf<Example>(table: Readonly<Record<string, Example>>, name: string): Example {
  const example = table[name];
  if (example === undefined) throw new Error(`${name} is not covered: add it to tests/isolation/examples.ts`);
  return example;
}

/** The ways from a root field; from an id only those through its own type, the others being empty. */
function walksOf(field: (typeof queryFields)[number], args: Arguments): Walk[] {
  const walks = walksFrom(schema, 'query', field, args, fieldExamples);
  const type = field.name === 'node' ? readGlobalId(String(args['id']))?.typename : undefined;
  return type === undefined ? walks : walks.filter(({ path }) => path.split('.')[1] === type);
}

const keyOfBravo = (role: Role): string => keysOfBravo.get(role) ?? '';

/** Whether an input names one thing by its id: for another tenant that one does not exist. */
const namesOne = (input: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(input).some((name) => /^id$|Id$/.test(name));

/** What a mutation answers, as the name of its type. */
async function call(
  credential: string,
  name: string,
  input: Arguments,
): Promise<{ outcome: string; text: unknown }> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename ... on UserError { message code path } } }`;
  const { data, errors } = await api.ask(credential, document, { input });
  return { outcome: data?.[name]?.__typename ?? errors[0]?.extensions?.['code'], text: [data, errors] };
}

describe('queries', () => {
  it.each(queryFields.filter(({ name }) => FOR_OPERATORS.has(name)))(
    '$name is for operators of the platform, and for nobody of a tenant in any role',
    async (field) => {
      const strangers = [alphaAdmin, ...ROLES.map(keyOfBravo)];
      for (const args of exampleOf(queries, field.name)(alpha)) {
        const walks = walksFrom(schema, 'query', field, args, fieldExamples);
        expect(walks.length).toBeGreaterThan(0);
        for (const { path, document } of walks) {
          expect((await api.ask(await api.operator(bravo.tenant), document)).errors, path).toEqual([]);
          for (const stranger of strangers) {
            const { data, errors } = await api.ask(stranger, document);
            const codes = errors.map(({ extensions }) => extensions?.['code']);
            expect({ path, data, codes }).toEqual({ path, data: null, codes: ['FORBIDDEN'] });
          }
        }
      }
    },
  );

  it.each(queryFields.filter(({ name }) => !FOR_OPERATORS.has(name)))(
    '$name shows Alpha its own, and nothing of it to Bravo in any role',
    async (field) => {
      let differing = 0;
      for (const args of exampleOf(queries, field.name)(alpha)) {
        for (const { path, document } of walksOf(field, args)) {
          const own = await api.ask(alphaAdmin, document);
          expect(own.errors, path).toEqual([]);
          collectSecrets(own.data, secrets);
          const roles = BY_SECRET.has(field.name) ? [] : ROLES;
          const answers = await Promise.all(roles.map((role) => api.ask(keyOfBravo(role), document)));
          for (const [index, { data, errors }] of answers.entries()) {
            const role = roles[index];
            differing += Number(JSON.stringify(data) !== JSON.stringify(own.data));
            expect({ path, role, leaks: leaksIn([data, errors], document, secrets) }).toEqual({
              path,
              role,
              leaks: [],
            });
          }
        }
      }
      if (!ABOUT_THE_PLATFORM.has(field.name) && !BY_SECRET.has(field.name))
        expect(differing).toBeGreaterThan(0);
    },
  );

  it('leaves no transaction open, whatever came of it', async () => {
    const { rows } = await api.database.admin.query(
      `select query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
    );
    expect(rows).toEqual([]);
  });

  it.each(nodeTypes)('node and nodes give Bravo null for a $name of Alpha', async ({ name }) => {
    const id = alpha.ids[name];
    if (id === undefined) throw new Error(`${name} is not covered: add one to tests/isolation/estate.ts`);
    const document = '{ node(id: $id) { __typename } nodes(ids: [$id]) { __typename } }';
    const ask = (credential: string) => api.ask(credential, `query ($id: ID!) ${document}`, { id });
    const found = { __typename: name };
    expect((await ask(alphaAdmin)).data).toEqual({ node: found, nodes: [found] });
    for (const role of ROLES) {
      const { data, errors } = await ask(keyOfBravo(role));
      const codes = new Set(errors.map(({ extensions }) => extensions?.['code']));
      // What a role may not read at all is refused before anybody looks whose it is.
      const expected = codes.has('FORBIDDEN')
        ? { data: null, codes: new Set(['FORBIDDEN']) }
        : { data: { node: null, nodes: [null] }, codes: new Set() };
      expect({ role, data, codes }).toEqual({ role, ...expected });
    }
  });
});

describe('mutations', () => {
  it.each(mutationFields)('$name changes nothing of Alpha for Bravo, in any role', async ({ name }) => {
    const before = await digestOf(api.database.admin, alpha.tenant.id);
    const input = exampleOf(mutations, name).input(alpha);
    for (const role of ROLES) {
      const { outcome, text } = await call(keyOfBravo(role), name, input);
      expect({ role, leaks: leaksIn(text, JSON.stringify(input), secrets) }).toEqual({ role, leaks: [] });
      if (namesOne(input))
        expect(outcome).toMatch(role === 'ADMIN' ? /^NotFoundError$/ : /^(NotFound|Forbidden)Error$/);
    }
    expect(await digestOf(api.database.admin, alpha.tenant.id)).toEqual(before);
  });

  it.each(mutationFields)('$name is for the roles of Alpha that may', async ({ name }) => {
    const { needs, input } = exampleOf(mutations, name);
    if (needs === null) return;
    const before = await digestOf(api.database.admin, alpha.tenant.id);
    const lesser = ROLES.filter((role) => !permissionsOf(role).has(needs));
    const keys = await Promise.all(lesser.map((role) => api.apiKey(alpha.tenant, role)));
    // Their first use stands in the audit log.
    for (const key of keys) await api.ask(key, '{ viewer { name } }');
    const ready = await digestOf(api.database.admin, alpha.tenant.id);
    for (const key of keys) expect((await call(key, name, input(alpha))).outcome).toBe('ForbiddenError');
    expect(await digestOf(api.database.admin, alpha.tenant.id)).toEqual(ready);
    expect(Object.keys(before)).toEqual(Object.keys(ready));
  });

  it('would all have worked on an estate of one’s own', async () => {
    const charlie = await openEstate(api, 'charlie');
    const admin = await api.apiKey(charlie.tenant);
    const outcomes: Record<string, string> = {};
    const operator = await api.operator(bravo.tenant);
    for (const [name, { needs, input, by }] of Object.entries(mutations)) {
      const credential = needs === 'platform.operate' ? operator : admin;
      const caller = by ? await api.issuer.token({ subject: by(charlie) }) : credential;
      outcomes[name] = (await call(caller, name, input(charlie))).outcome;
    }
    expect(outcomes).toEqual(
      Object.fromEntries(Object.keys(mutations).map((name) => [name, expect.stringMatching(/Success$/)])),
    );
  });
});

describe('downloads', () => {
  const offered = mutationFields.filter(({ name }) => {
    const success = schema.getType(`${name[0]?.toUpperCase()}${name.slice(1)}Success`);
    return isObjectType(success) && 'url' in success.getFields();
  });

  it.each(offered)('what $name offers Bravo holds nothing of Alpha, in any role', async ({ name }) => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const document = `mutation ($input: ${type}Input!) { ${name}(input: $input) { ... on ${type}Success { url } } }`;
    const fetchOf = async (credential: string, input: Arguments) => {
      const { data } = await api.ask(credential, document, { input });
      const offer = data?.[name]?.url;
      if (offer === undefined) return undefined;
      const { pathname, search } = new URL(offer);
      return (await fetch(`${api.url}${pathname}${search}`)).text();
    };
    const { input } = exampleOf(mutations, name);
    expect(await fetchOf(alphaAdmin, input(alpha))).toContain(MARKER);
    for (const role of ROLES) {
      for (const asked of [input(alpha), input(bravo)]) {
        const text = (await fetchOf(keyOfBravo(role), asked)) ?? '';
        expect({ role, leaks: leaksIn(text.split(/[\s,"]+/), JSON.stringify(asked), secrets) }).toEqual({
          role,
          leaks: [],
        });
      }
    }
  });
});

describe('subscriptions', () => {
  it.each(subscriptionFields)('$name brings Bravo nothing of Alpha, in any role', async (field) => {
    const arguments_ = exampleOf(subscriptions, field.name)(alpha);
    const documentsWith = (args: Arguments) =>
      walksFrom(schema, 'subscription', field, args, fieldExamples).map(({ document }) => document);
    const sockets: Client[] = [];
    /** On a socket of its own, which takes so many operations; when the next asks, the database has answered these. */
    const followAll = async (credential: string, documents: readonly string[]) => {
      const socket = api.socket(credential);
      sockets.push(socket);
      const streams = documents.map((document) => ({ document, stream: collect(socket, document) }));
      await until('every snapshot', () =>
        streams.every(({ stream }) => stream.items.length > 0 || stream.ended),
      );
      for (const { stream } of streams)
        expect(JSON.stringify(stream.ended ?? {})).not.toMatch(/UNAVAILABLE|TIMEOUT|INTERNAL/);
      return streams;
    };
    try {
      const own = (await followAll(alphaAdmin, documentsWith({}))).map(({ stream }) => stream);
      const followed: { role: Role; document: string; stream: ReturnType<typeof collect> }[] = [];
      for (const args of arguments_)
        for (const role of ROLES)
          for (const each of await followAll(keyOfBravo(role), documentsWith(args)))
            followed.push({ role, ...each });
      const started = own.map(({ items }) => items.length);
      await makeHappen(api, alpha);
      await until('Alpha to see its own', () => {
        expect(own.map(({ ended }) => ended)).toEqual(own.map(() => undefined));
        return own.some(({ items }, index) => items.length > (started[index] ?? 0));
      });
      await makeHappen(api, bravo);
      await until('Bravo to see its own', () => followed.some(({ stream }) => stream.items.length > 1));
      for (const { role, document, stream } of followed) {
        expect({ role, document, leaks: leaksIn(stream.items, document, secrets) }).toEqual({
          role,
          document,
          leaks: [],
        });
      }
    } finally {
      for (const socket of sockets) void socket.dispose();
    }
  });

  it('take no cursor of another tenant', async () => {
    const owner = api.socket(alphaAdmin);
    const stranger = api.socket(keyOfBravo('ADMIN'));
    try {
      for (const { name } of subscriptionFields) {
        const delivered = schema
          .getPossibleTypes(unionOf(name))
          .map((type) => `... on ${type.name} { cursor }`);
        const selection = `{ __typename ${delivered.join(' ')} }`;
        const own = collect(owner, `subscription { ${name} ${selection} }`);
        await until('a cursor', () => own.items.some((item) => item.cursor));
        const { cursor } = own.items.find((item) => item.cursor);
        const stolen = collect(
          stranger,
          `subscription ($after: Cursor) { ${name}(after: $after) { __typename } }`,
          { after: cursor },
        );
        await until('the refusal', () => stolen.ended);
        expect(JSON.stringify(stolen.ended?.error)).toContain('BAD_USER_INPUT');
        own.stop();
      }
    } finally {
      void owner.dispose();
      void stranger.dispose();
    }
  });
});

function unionOf(field: string) {
  const type = getNamedType(schema.getSubscriptionType()?.getFields()[field]?.type);
  if (!type || !('getTypes' in type)) throw new Error(`${field} delivers no union`);
  return type;
}
