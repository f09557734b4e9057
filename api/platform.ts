import type { SecretBox } from '#core/auth/secrets.ts';
import type { ReadScope } from './database/read-scope.ts';
import type { Writes } from './database/writes.ts';
import type { Operation } from './graphql/context.ts';
import type { LiveFeeds } from './live/feeds.ts';
import type { DeviceCache } from './modules/devices/cache.ts';

/** What the whole process has one of, and services may use. */
export interface Platform {
  readonly writes: Writes;
  /** Reads one state of the database, in the operation's name and within its time. */
  readonly readSnapshot: <Result>(
    operation: Operation,
    work: (scope: ReadScope) => Promise<Result>,
  ) => Promise<Result>;
  readonly live: LiveFeeds;
  readonly devices: DeviceCache;
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
  /** Seals secrets inside remembered results. */
  readonly resultKey: Buffer;
}
