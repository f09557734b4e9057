import { type Sql, sql } from '#api/database/sql.ts';
import type { SuccessFields } from '#api/graphql/define-mutation.ts';

/** How many devices there are, and of these how many are so on each axis of presence: each device counts once on each. */
export interface PresenceRollup {
  readonly devices: number;
  readonly online: number;
  readonly offline: number;
  readonly unknown: number;
  readonly fresh: number;
  readonly stale: number;
  readonly silent: number;
  readonly credentialActive: number;
  readonly credentialExpiring: number;
  readonly credentialRevoked: number;
  readonly credentialNone: number;
}

export const NO_DEVICES: PresenceRollup = {
  ...{ devices: 0, online: 0, offline: 0, unknown: 0, fresh: 0, stale: 0, silent: 0 },
  ...{ credentialActive: 0, credentialExpiring: 0, credentialRevoked: 0, credentialNone: 0 },
};

const sumOf = (condition: Sql): Sql => sql`coalesce(sum(c.devices) filter (where ${condition}), 0)::int`;

/** The counts of a rollup as columns over rows `c` of PRESENCE_STATES and the number of `devices` that are so. */
export const ROLLUP_COLUMNS = sql`coalesce(sum(c.devices), 0)::int as devices,
  ${sumOf(sql`c.connection = 'ONLINE'`)} as online,
  ${sumOf(sql`c.connection = 'OFFLINE'`)} as offline,
  ${sumOf(sql`c.connection = 'UNKNOWN' or c.connection is null`)} as unknown,
  ${sumOf(sql`c.freshness = 'FRESH'`)} as fresh,
  ${sumOf(sql`c.freshness = 'STALE'`)} as stale,
  ${sumOf(sql`c.freshness = 'SILENT' or c.freshness is null`)} as silent,
  ${sumOf(sql`c.credential = 'ACTIVE'`)} as "credentialActive",
  ${sumOf(sql`c.credential = 'EXPIRING'`)} as "credentialExpiring",
  ${sumOf(sql`c.credential = 'REVOKED'`)} as "credentialRevoked",
  ${sumOf(sql`c.credential = 'NONE' or c.credential is null`)} as "credentialNone"`;

export const rollupFields: SuccessFields<PresenceRollup> = (t) => ({
  devices: t.exposeInt('devices', { description: 'All of them.' }),
  online: t.exposeInt('online', { description: 'A session is open.' }),
  offline: t.exposeInt('offline', { description: 'The last session has ended.' }),
  unknown: t.exposeInt('unknown', {
    description: 'Never connected, or the gateway that held the session is gone.',
  }),
  fresh: t.exposeInt('fresh', { description: 'Heard of within two expected intervals.' }),
  stale: t.exposeInt('stale', { description: 'Heard of within ten expected intervals.' }),
  silent: t.exposeInt('silent', { description: 'Heard of longer ago, or never.' }),
  credentialActive: t.exposeInt('credentialActive', {
    description: 'A credential is good for more than 30 days.',
  }),
  credentialExpiring: t.exposeInt('credentialExpiring', {
    description: 'Every good credential ends within 30 days.',
  }),
  credentialRevoked: t.exposeInt('credentialRevoked', {
    description: 'Every credential was revoked or has expired.',
  }),
  credentialNone: t.exposeInt('credentialNone', { description: 'It never had a credential.' }),
});
