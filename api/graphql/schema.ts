import './nodes.ts';
import '../modules/viewer/schema.ts';
import '../modules/tenants/schema.ts';
import '../modules/sites/schema.ts';
import '../modules/sites/mutations.ts';
import '../modules/devices/schema.ts';
import '../modules/device-map/schema.ts';
import '../modules/devices/connect-info.ts';
import '../modules/devices/mutations.ts';
import '../modules/groups/schema.ts';
import '../modules/groups/mutations.ts';
import '../modules/certificates/schema.ts';
import '../modules/certificates/mutations.ts';
import '../modules/devices/token-mutations.ts';
import '../modules/claim-codes/schema.ts';
import '../modules/claim-codes/mutations.ts';
import '../modules/provisioning-tokens/schema.ts';
import '../modules/provisioning-tokens/mutations.ts';
import '../modules/api-keys/schema.ts';
import '../modules/api-keys/mutations.ts';
import '../modules/members/schema.ts';
import '../modules/members/mutations.ts';
import '../modules/invitations/schema.ts';
import '../modules/invitations/mutations.ts';
import '../modules/audit/schema.ts';
import '../modules/audit/export-schema.ts';
import '../modules/operator/schema.ts';
import '../modules/operator/mutations.ts';
import '../modules/presence/schema.ts';
import '../modules/availability/schema.ts';
import '../modules/presence/live-schema.ts';
import '../modules/sequences/schema.ts';
import '../modules/telemetry/schema.ts';
import '../modules/telemetry/live-schema.ts';
import '../modules/conservation/schema.ts';
import '../modules/messages/schema.ts';
import '../modules/usage/schema.ts';
import '../modules/quarantine/schema.ts';
import '../modules/quarantine/job-schema.ts';
import '../modules/quarantine/mutations.ts';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { builder } from './builder.ts';

/** The API, made of every module above. */
export const schema = builder.toSchema();

/** The schema as it is committed: sorted, so that a difference is a change. */
export const printedSchema = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
