import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { PROJECT } from '#standalone/node-process.ts';

/** The schema as it is published; a gate keeps it what the API serves. */
export function readSchema(): GraphQLSchema {
  return buildSchema(readFileSync(join(PROJECT, 'schema.graphql'), 'utf8'));
}
