import { builder } from '#api/graphql/builder.ts';
import { loadCredentialState } from '../devices/service.ts';
import type { PresenceRow } from './store.ts';

export const connectivityEnum = builder.enumType('Connectivity', {
  description: 'Whether a device holds a connection to us.',
  values: {
    ONLINE: { description: 'A session is open.' },
    OFFLINE: { description: 'The last session has ended.' },
    UNKNOWN: { description: 'Never connected, or the gateway that held the session is gone.' },
  },
});

export const freshnessEnum = builder.enumType('Freshness', {
  description: 'How recent the last traffic of a device is, against the interval it is expected to keep.',
  values: {
    FRESH: { description: 'Within two expected intervals, and no required metric is missing.' },
    STALE: {
      description: 'Within ten expected intervals, or it sends without a metric that its template requires.',
    },
    SILENT: { description: 'Longer ago, or never.' },
  },
});

export const credentialStateEnum = builder.enumType('CredentialState', {
  description: 'The best of what a device could authenticate with.',
  values: {
    NONE: { description: 'It never had a credential.' },
    ACTIVE: { description: 'A credential is good for more than 30 days.' },
    EXPIRING: { description: 'Every good credential ends within 30 days.' },
    REVOKED: { description: 'Every credential was revoked or has expired.' },
  },
});

export const presenceRef = builder.objectRef<PresenceRow>('Presence').implement({
  description:
    'Three separate answers to "is it there?": connection, freshness of its data, and its credential.',
  fields: (t) => ({
    connection: t.expose('connection', { type: connectivityEnum, description: 'As the gateway sees it.' }),
    freshness: t.expose('freshness', {
      type: freshnessEnum,
      description: 'As its traffic shows; any traffic counts.',
    }),
    credential: t.field({
      type: credentialStateEnum,
      description: 'Whether it could authenticate.',
      resolve: ({ deviceId, credential }, _args, operation) =>
        credential ?? loadCredentialState(operation, deviceId),
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Last traffic; null when never.',
    }),
    connectionChangedAt: t.expose('connectionChangedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When `connection` last changed; null when never.',
    }),
    missingMetrics: t.stringList({
      description:
        'Metrics that its template requires and that have not come for two expected intervals although the device has sent; it is STALE then. In the order of their keys.',
      resolve: ({ missingMetrics }) => [...missingMetrics],
    }),
  }),
});
