import { type Cache, cacheExchange } from '@urql/exchange-graphcache';
import type { Exchange } from 'urql';
import type { PresenceSubscription, TelemetrySubscription } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { type Latest, mergeLatest, readMetrics } from './latest.ts';

const latestFragment = graphql(`
  fragment CachedLatest on Device {
    __typename
    id
    latest {
      __typename
      metric
      value
      at
      receivedAt
    }
  }
`);

const lastSeenFragment = graphql(`
  fragment CachedLastSeen on Device {
    __typename
    id
    presence {
      __typename
      lastSeenAt
    }
  }
`);

const presenceFragment = graphql(`
  fragment CachedPresence on Device {
    __typename
    id
    presence {
      __typename
      connection
      freshness
      credential
      lastSeenAt
      connectionChangedAt
      missingMetrics
    }
  }
`);

const embedded = () => null;

/** Types that live inside their parent and have no identity of their own. */
const keyless = [
  'ApiKeyConnection',
  'ApiKeyEdge',
  'AuditActor',
  'AuditEntryConnection',
  'AuditEntryEdge',
  'AuditTarget',
  'Availability',
  'AvailabilityChange',
  'AvailabilityPart',
  'BulkError',
  'CertificateAuthority',
  'CertificateConnection',
  'CertificateEdge',
  'ClaimCodeConnection',
  'ClaimCodeEdge',
  'CommandChange',
  'CommandConnection',
  'CommandCount',
  'CommandEdge',
  'CommandSnapshot',
  'CommandTransition',
  'ConnectInfo',
  'ConservationDay',
  'DeviceConnection',
  'DeviceEdge',
  'DeviceGroupConnection',
  'DeviceGroupEdge',
  'DeviceLatest',
  'DeviceMap',
  'DevicePin',
  'DeviceSequence',
  'DeviceShadow',
  'DeviceTemplateConnection',
  'DeviceTemplateEdge',
  'DeviceToken',
  'FleetSummary',
  'GivenUpMessageConnection',
  'GivenUpMessageEdge',
  'InvitationConnection',
  'InvitationEdge',
  'InvitationOffer',
  'JobConnection',
  'JobEdge',
  'LatestValue',
  'LiveWindow',
  'Location',
  'MemberConnection',
  'MemberEdge',
  'MetricMapping',
  'Membership',
  'MessagePart',
  'MessagePayload',
  'MessageTrace',
  'MetricFlag',
  'MetricSeries',
  'PageInfo',
  'Presence',
  'PresenceChange',
  'PresenceSnapshot',
  'ProvisioningTokenConnection',
  'ProvisioningTokenEdge',
  'QuarantineConnection',
  'QuarantineEdge',
  'QuarantineJobConnection',
  'QuarantineJobEdge',
  'QuarantineJobOutcomes',
  'QuarantineReasonPoint',
  'QuarantineReasonSeries',
  'QuarantineReplay',
  'ReadingConnection',
  'ReadingEdge',
  'ReplayForecast',
  'RoleGrant',
  'SequenceGap',
  'SeriesPoint',
  'ShadowChange',
  'ShadowSnapshot',
  'ShadowVersion',
  'ShadowVersionConnection',
  'ShadowVersionEdge',
  'SiteConnection',
  'SiteEdge',
  'SiteRollup',
  'StreamGap',
  'TelemetryReading',
  'TelemetrySnapshot',
  'TemplateCommand',
  'TemplateCommandChange',
  'TemplateDiff',
  'TemplateMetric',
  'TemplateMetricChange',
  'TemplateMigrationFault',
  'TemplateMigrationObstacle',
  'TemplateMigrationPreview',
  'TemplateMigrationStep',
  'TemplateSettingChange',
  'TemplateSlot',
  'TemplateSlotChange',
  'TemplateTransport',
  'TemplateVersion',
  'TenantCa',
  'TenantConservation',
  'TenantLimits',
  'TenantUsage',
  'UsageCounts',
  'UserProperty',
  'ValidationIssue',
] as const;

/**
 * The normalised cache. Presence events write themselves (they select `device { id presence }`); telemetry events are
 * folded into `Device.latest`, so that every list and page showing a value shows the newest one.
 */
export function createCache(): Exchange {
  return cacheExchange({
    keys: Object.fromEntries(keyless.map((name) => [name, embedded])),
    possibleTypes: {
      BulkSuccess: [
        'CommandSendManySuccess',
        'DevicesAddToGroupSuccess',
        'DevicesSetSiteSuccess',
        'DevicesSetStatusSuccess',
        'DevicesTagSuccess',
        'DevicesUntagSuccess',
        'TemplateMigrateSuccess',
      ],
      Node: [
        'ApiKey',
        'AuditEntry',
        'ClaimCode',
        'Command',
        'Device',
        'DeviceCredential',
        'DeviceGroup',
        'DeviceModule',
        'DeviceSensor',
        'DeviceTemplate',
        'DeviceTransport',
        'Invitation',
        'Job',
        'Member',
        'ProvisioningToken',
        'QuarantineJob',
        'QuarantinedMessage',
        'Site',
        'Tenant',
      ],
      UserError: [
        'ConflictError',
        'ForbiddenError',
        'InvitationError',
        'LastAdminError',
        'NotFoundError',
        'QuotaError',
        'ValidationError',
      ],
    },
    updates: {
      Mutation: {
        deviceCreate: (_result, _args, cache) => forgetLists(cache, 'devices'),
        deviceUpdate: (_result, _args, cache) => forgetLists(cache, 'devices'),
        deviceDecommission: (_result, _args, cache) => forgetLists(cache, 'devices'),
        groupCreate: (_result, _args, cache) => forgetLists(cache, 'groups'),
        groupDelete: (_result, _args, cache) => forgetLists(cache, 'groups'),
        templateClone: (_result, _args, cache) => forgetLists(cache, 'templates'),
        templateCreate: (_result, _args, cache) => forgetLists(cache, 'templates'),
        templateDelete: (_result, _args, cache) => forgetLists(cache, 'templates'),
        templateImport: (_result, _args, cache) => forgetLists(cache, 'templates'),
      },
      Subscription: {
        telemetry: (result: TelemetrySubscription, _args, cache) => foldTelemetry(result.telemetry, cache),
        presence: (result: PresenceSubscription, _args, cache) => foldPresence(result.presence, cache),
      },
    },
  });
}

/** Lists may have gained, lost or reordered entries: fetch them again when they are next shown. */
function forgetLists(cache: Cache, list: 'devices' | 'groups' | 'templates'): void {
  for (const field of cache.inspectFields('Query')) {
    if (field.fieldName === list) cache.invalidate('Query', field.fieldKey);
  }
}

function foldPresence(event: PresenceSubscription['presence'], cache: Cache): void {
  if (event.__typename !== 'PresenceChange') return;
  const { device, presence } = event;
  cache.writeFragment(presenceFragment, {
    __typename: 'Device',
    id: device.id,
    presence: { ...presence, __typename: 'Presence' },
  });
}

function foldTelemetry(event: TelemetrySubscription['telemetry'], cache: Cache): void {
  if (event.__typename === 'TelemetrySnapshot') {
    for (const { device, values } of event.devices) foldDevice(cache, device.id, values);
  }
  if (event.__typename === 'TelemetryReading') {
    const { at, receivedAt } = event;
    const values = readMetrics(event.metrics).map(([metric, value]) => ({ metric, value, at, receivedAt }));
    foldDevice(cache, event.device.id, values);
    touch(cache, event.device.id, receivedAt);
  }
}

function foldDevice(cache: Cache, id: string, incoming: readonly Latest[]): void {
  const held = cache.readFragment(latestFragment, { __typename: 'Device', id });
  if (!held) return;
  const merged = mergeLatest(held.latest, incoming);
  if (merged === held.latest) return;
  const latest = merged.map((value) => ({ ...value, __typename: 'LatestValue' as const }));
  cache.writeFragment(latestFragment, { __typename: 'Device', id, latest });
}

/** A reading proves life: the device was last seen when it arrived. */
function touch(cache: Cache, id: string, receivedAt: string): void {
  const held = cache.readFragment(lastSeenFragment, { __typename: 'Device', id });
  const before = held?.presence.lastSeenAt;
  if (!held || (before && Date.parse(before) >= Date.parse(receivedAt))) return;
  const presence = { __typename: 'Presence' as const, lastSeenAt: receivedAt };
  cache.writeFragment(lastSeenFragment, { __typename: 'Device', id, presence });
}
