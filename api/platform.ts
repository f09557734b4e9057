import type { Pool } from 'pg';
import type { LastingKeys } from '#core/auth/lasting-keys.ts';
import type { MembershipRecord } from '#core/auth/membership.ts';
import type { SecretBox } from '#core/auth/secrets.ts';
import type { Person } from '#core/auth/viewer.ts';
import type { Bus } from '#core/bus/connect.ts';
import type { StreamState } from '#core/bus/stream-states.ts';
import type { SchemaChecks } from '#core/fleet/command-checks.ts';
import type { Plan } from '#core/fleet/limits.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { ApiConfig } from './config.ts';
import type { InvitationRecord } from './database/credentials.ts';
import type { OperatorDatabase } from './database/operator.ts';
import type { ReadScope } from './database/read-scope.ts';
import type { Writes } from './database/writes.ts';
import type { Operation } from './graphql/context.ts';
import type { LiveFeeds } from './live/feeds.ts';
import type { InFlight } from './modules/conservation/in-flight.ts';
import type { DeviceCache } from './modules/devices/cache.ts';

/** What the API is built of. */
export interface AppDeps {
  readonly config: ApiConfig;
  readonly pool: Pool;
  /** As the role of operators of the platform; without it there are none. */
  readonly operatorPool?: Pool | undefined;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What stored secrets are hashed under. */
  readonly keys: LastingKeys;
  /** What `/readyz` asks. */
  readonly checks: Readonly<Record<string, () => boolean>>;
  readonly version: string;
}

/** What the whole process has one of, and services may use. */
export interface Platform {
  /** The invitation with this hash, of whatever tenant. */
  readonly findInvitation: (secretHash: Buffer) => Promise<InvitationRecord | undefined>;
  /** Every tenant that a person belongs or belonged to. */
  readonly findMemberships: (
    person: Pick<Person, 'issuer' | 'subject'>,
  ) => Promise<readonly MembershipRecord[]>;
  readonly writes: Writes;
  /** Reads one state of the database, in the operation's name and within its time. */
  readonly readSnapshot: <Result>(
    operation: Operation,
    work: (scope: ReadScope) => Promise<Result>,
  ) => Promise<Result>;
  /** For operators of the platform; undefined where the deployment has none. */
  readonly operator: OperatorDatabase | undefined;
  readonly readStreams: () => Promise<StreamState[]>;
  /** Days between the deletion of a tenant and the end of its data. */
  readonly tenantDeleteDays: number;
  readonly live: LiveFeeds;
  /** Compiled schemas of what commands take. */
  readonly schemaChecks: SchemaChecks;
  readonly devices: DeviceCache;
  /** What tenants may send where nothing else is written down. */
  readonly plan: Plan;
  /** What lies on the stream on its way to the database. */
  readonly inFlight: InFlight;
  /** What clients are told about the deployment. */
  readonly addresses: {
    readonly mqttUrl: string;
    readonly mqttsUrl: string | null;
    readonly httpUrl: string;
  };
  /** Hashes the secrets of devices. */
  readonly deviceTokenKey: Buffer;
  /** Opens the keys of certificate authorities. */
  readonly secretBox: SecretBox;
  /** Hashes the secrets of API keys. */
  readonly apiKeyKey: Buffer;
  /** Hashes claim codes. */
  readonly claimCodeKey: Buffer;
  /** Hashes the secrets of invitations. */
  readonly invitationKey: Buffer;
  /** Hashes provisioning tokens. */
  readonly provisioningTokenKey: Buffer;
}
