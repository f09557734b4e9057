#!/usr/bin/env node
// Stands in for Prisma's native schema engine, which npm does not carry. It speaks the engine's protocol (JSON-RPC,
// one message a line, on standard input and output) over the official WebAssembly build of the same engine.
// Used through PRISMA_SCHEMA_ENGINE_BINARY for `generate`, `validate` and `migrate diff`; a development tool only.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

const ENGINE_PACKAGE = '@prisma/schema-engine-wasm';
const EMPTY_SCHEMA = ['schema.prisma', 'datasource db { provider = "postgresql" }'];
/** PostgreSQL's internal type "char", the type it is read as, and what marks such a column until `mend` sees it. */
const CHAR_OID = 18;
const NAME_OID = 19;
const CHAR_MARK = '\u0000char';
/** JSON-RPC code that the command line takes for an error with details. */
const RPC_ERROR = 4466;
/** PostgreSQL error codes and Prisma's for the same. */
const KNOWN_ERRORS = { '3D000': 'P1003', '28P01': 'P1000' };

const { values: flags, positionals } = parseArgs({
  args: process.argv.slice(2),
  strict: false,
  allowPositionals: true,
  options: {
    datasource: { type: 'string' },
    datamodels: { type: 'string', multiple: true, short: 'd' },
    version: { type: 'boolean' },
  },
});
const datasourceUrl = JSON.parse(flags.datasource ?? '{}').url;

if (flags.version) console.log(`schema-engine-wasm ${packageVersion()}`);
else if (positionals[0] === 'cli') await runCommand(positionals[1]);
else await serve();
process.exit(process.exitCode ?? 0);

function packageVersion() {
  const entry = createRequire(import.meta.url).resolve(ENGINE_PACKAGE);
  return JSON.parse(fs.readFileSync(path.join(path.dirname(entry), 'package.json'), 'utf8')).version;
}

/**
 * A connection as separate fields. Never as `connectionString`: node-postgres lets that override `database`, and
 * a shadow database would be the real one.
 */
function connectionOf(url, database) {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    host: searchParams.get('host') ?? hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: database ?? pathname.slice(1),
  };
}

async function query(connection, text) {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** The engine's one-shot commands about a database as a whole. */
async function runCommand(command) {
  try {
    const target = connectionOf(datasourceUrl);
    const name = pg.escapeIdentifier(target.database);
    const elsewhere = connectionOf(datasourceUrl, 'postgres');
    if (command === 'can-connect-to-database') await query(target, 'select 1');
    else if (command === 'create-database') await query(elsewhere, `create database ${name}`);
    else if (command === 'drop-database') await query(elsewhere, `drop database ${name} with (force)`);
    else throw new Error(`unknown command ${command}`);
  } catch (error) {
    const fields = {
      message: error.message || String(error),
      error_code: KNOWN_ERRORS[error.code] ?? 'P1001',
      is_panic: false,
    };
    process.stderr.write(`\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}`);
    process.exitCode = 1;
  }
}

/** Answers requests until standard input ends. */
async function serve() {
  supportInternalChar();
  const panic = watchPanics();
  const { SchemaEngine } = await loadEngine();
  const datamodels = (flags.datamodels ?? []).map((file) => [file, fs.readFileSync(file, 'utf8')]);
  let engine;
  const engineFor = async (url) => {
    engine ??= await SchemaEngine.new(
      { datamodels: datamodels.length > 0 ? datamodels : [EMPTY_SCHEMA] },
      () => undefined,
      bindMigrationAwareSqlAdapterFactory(adapterFactory(url)),
    );
    return engine;
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = line.trim() ? JSON.parse(line) : {};
    // A line without a method is the caller's answer to something we printed.
    if (request.method) send({ ...(await answer(request, engineFor, panic)), id: request.id });
  }
}

async function answer({ id, method, params }, engineFor, panic) {
  try {
    const url = params?.datasourceType?.url ?? params?.to?.url ?? params?.from?.url ?? datasourceUrl;
    if (params?.migrationsList) params.migrationsList.shadowDbInitScript ??= '';
    const engine = await engineFor(url);
    const result = await engine[method === 'getDatabaseVersion' ? 'version' : method](params);
    if (method === 'diff' && typeof result?.stdout === 'string') {
      send({ method: 'print', params: { content: result.stdout }, id: `print-${id}` });
    }
    return { result: result ?? {} };
  } catch (error) {
    const message = panic() ?? String(error?.message ?? error);
    const data = {
      is_panic: panic() !== undefined,
      message,
      meta: error?.meta ?? { full_error: message },
      ...(error?.code && { error_code: error.code }),
    };
    return {
      error: { code: RPC_ERROR, message: 'An error happened. Check the data field for details.', data },
    };
  }
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

async function loadEngine() {
  const folder = path.dirname(createRequire(import.meta.url).resolve(ENGINE_PACKAGE));
  const glue = await import(path.join(folder, 'schema_engine_bg.js'));
  const bytes = fs.readFileSync(path.join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

/** The engine reports a panic through this global. Returns what reads the last one. */
function watchPanics() {
  let last;
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message: (message) => {
      last = message;
    },
  };
  return () => last;
}

/** adapter-pg for the engine, with three of its faults worked round. */
function adapterFactory(url) {
  const plain = new PrismaPg(connectionOf(url));
  return {
    adapterName: plain.adapterName,
    provider: plain.provider,
    connect: async () => mend(await plain.connect()),
    connectToShadowDb: () => openShadow(url),
  };
}

/** adapter-pg would drop its shadow database before it disconnects from it, which fails and leaks it. */
async function openShadow(url) {
  const name = `shadow_${crypto.randomUUID()}`;
  const elsewhere = connectionOf(url, 'postgres');
  await query(elsewhere, `create database ${pg.escapeIdentifier(name)}`);
  const adapter = await new PrismaPg(connectionOf(url, name)).connect();
  const disconnect = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await disconnect();
    await query(elsewhere, `drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  };
  return mend(adapter);
}

/** adapter-pg does not know PostgreSQL's internal "char": read it as a name and mark the column for `mend`. */
function supportInternalChar() {
  const addFields = pg.Result.prototype.addFields;
  pg.Result.prototype.addFields = function (fields) {
    for (const field of fields) {
      if (field.dataTypeID !== CHAR_OID) continue;
      field.dataTypeID = NAME_OID;
      field.name += CHAR_MARK;
    }
    return addFields.call(this, fields);
  };
}

function mend(adapter) {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (request) => {
    const result = await queryRaw(request);
    for (const [index, name] of result.columnNames.entries()) {
      if (!name.endsWith(CHAR_MARK)) continue;
      result.columnNames[index] = name.slice(0, -CHAR_MARK.length);
      result.columnTypes[index] = ColumnTypeEnum.Character;
    }
    return result;
  };
  // adapter-pg splits a script at every semicolon, function bodies included.
  if (adapter.executeScript) {
    adapter.executeScript = async (script) => {
      await adapter.client.query(script).catch((error) => adapter.onError(error));
    };
  }
  if (adapter.startTransaction) {
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (level) => mend(await start(level));
  }
  return adapter;
}
