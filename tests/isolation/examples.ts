import type { Permission } from '#core/auth/permissions.ts';
import type { Estate } from './estate.ts';
import type { Arguments } from './walks.ts';

const LONG_AGO = '2020-01-01T00:00:00Z';
const REASON = 'ticket 4711: because we test';
const FAR_AHEAD = '2030-01-01T00:00:00Z';

/**
 * How each root field is called to get at an estate, in every way that names something of it. A field that stands in none of these
 * tables fails the tests.
 */
export const queries: Readonly<Record<string, (of: Estate) => readonly Arguments[]>> = {
  apiKeys: () => [{}],
  auditEntries: (of) => [
    {},
    { where: { target: of.mark } },
    { where: { target: of.ids['Device'] } },
    { where: { actor: 'key' } },
  ],
  certificates: () => ['GOOD', 'EXPIRING', 'EXPIRED', 'REVOKED'].map((state) => ({ state })),
  claimCodes: () => [{}],
  commands: (of) => [
    {},
    { where: { deviceKeys: [of.device.key] } },
    { where: { types: [`${of.mark.toLowerCase()}.type`] } },
  ],
  connectInfo: () => [{}],
  deadLetters: () => [{}],
  device: (of) => [{ by: { id: of.ids['Device'] } }, { by: { key: of.device.key } }],
  devices: (of) => [
    {},
    { where: { keys: [of.device.key] } },
    { where: { search: of.mark } },
    { where: { siteKeys: [of.siteKey] } },
    { where: { tagsAny: [`${of.mark}-tag`] } },
    { where: { groupKeys: [`${of.mark}-static`, `${of.mark}-dynamic`] } },
    { where: { parentKeys: [of.device.key] } },
  ],
  deviceMap: (of) => [{}, { where: { keys: [of.device.key] } }],
  group: (of) => [{ by: { id: of.ids['DeviceGroup'] } }, { by: { key: `${of.mark}-static` } }],
  fleetSummary: (of) => [
    {},
    { where: { siteKeys: [of.siteKey] } },
    { where: { statuses: ['DECOMMISSIONED'] } },
  ],
  groups: (of) => [{}, { where: { search: of.mark } }, { where: { kinds: ['STATIC', 'DYNAMIC'] } }],
  invitationOffer: (of) => [{ token: of.invitationToken }],
  invitations: () => [{}, { pendingOnly: true }],
  job: (of) => [{ id: of.ids['Job'] }],
  jobs: () => [{}, { where: { statuses: ['QUEUED', 'CANCELLED'], kinds: ['devicesTag'] } }],
  liveWindow: () => [{}],
  message: (of) => [
    { id: of.ids['QuarantinedMessage'] },
    { id: '1', device: of.device.key },
    { id: of.deadReceipt },
  ],
  members: (of) => [{}, { where: { search: of.mark } }, { where: { roles: ['ADMIN'] } }],
  node: (of) => Object.values(of.ids).map((id) => ({ id })),
  nodes: (of) => [{ ids: Object.values(of.ids) }],
  operator: () => [{ reason: REASON }],
  roles: () => [{}],
  provisioningTokens: () => [{}],
  quarantine: (of) => [{}, { where: { deviceKey: of.device.key } }, { where: { reasons: ['BAD_JSON'] } }],
  quarantineJobs: () => [{}],
  quarantineReasons: (of) => [
    { from: LONG_AGO, to: FAR_AHEAD },
    { from: LONG_AGO, to: FAR_AHEAD, where: { deviceKey: of.device.key } },
  ],
  site: (of) => [{ by: { id: of.ids['Site'] } }, { by: { key: of.siteKey } }],
  sites: (of) => [{}, { where: { search: of.mark } }],
  template: (of) => [{ by: { id: of.ids['DeviceTemplate'] } }, { by: { key: `${of.mark}-template` } }],
  templates: (of) => [{}, { where: { search: of.mark } }, { where: { source: 'OWN' } }],
  templateMigrationPreview: (of) => [{ input: { templateKey: `${of.mark}-moving` } }],
  tenantCa: () => [{}],
  viewer: () => [{}],
};

/** For operators of the platform: who is of a tenant gets nothing there, not even its own. */
export const FOR_OPERATORS: ReadonlySet<string> = new Set(['operator']);

/** Queries whose answer holds nothing that belongs to a tenant. */
export const ABOUT_THE_PLATFORM: ReadonlySet<string> = new Set(['connectInfo', 'liveWindow', 'roles']);

/** Queries that show something of a tenant to whoever holds a secret which stands in their arguments. */
export const BY_SECRET: ReadonlySet<string> = new Set(['invitationOffer']);

/** Arguments of fields below the root, by `Type.field`. */
export const fieldExamples: Readonly<Record<string, Arguments>> = {
  'Operator.tenant': { slug: 'bravo' },
  'Operator.devices': { search: 'bravo' },
  'Device.availability': { from: LONG_AGO, to: FAR_AHEAD },
  'DeviceTemplate.diff': { from: 1 },
  'Device.series': { from: LONG_AGO, to: FAR_AHEAD },
  'Device.shadowAt': { at: FAR_AHEAD },
};

export interface MutationExample {
  /** What it must be allowed to; null where something else than a role decides. */
  readonly needs: Permission | null;
  /** Subject of the person without a tenant who may; an API key by default. */
  readonly by?: (of: Estate) => string;
  readonly input: (of: Estate) => Record<string, unknown>;
}

/** In an order in which a tenant's own administrator succeeds with all of them, one after the other, on one estate. */
export const mutations: Readonly<Record<string, MutationExample>> = {
  deviceCreate: {
    needs: 'devices.write',
    input: (of) => ({ key: `${of.mark}-new`, siteKey: of.siteKey }),
  },
  templateCreate: {
    needs: 'templates.write',
    input: (of) => ({ key: `${of.mark}-new`, name: 'New', category: 'SENSOR', definition: {} }),
  },
  templateUpdate: {
    needs: 'templates.write',
    input: (of) => ({ id: of.ids['DeviceTemplate'], expectedVersion: 1, name: 'changed' }),
  },
  templateClone: {
    needs: 'templates.write',
    input: (of) => ({ id: of.ids['DeviceTemplate'], key: `${of.mark}-copy` }),
  },
  templateImport: {
    needs: 'templates.write',
    input: (of) => ({
      document: {
        ...{ format: 'fleetgraph.template', formatVersion: 1, key: `${of.mark}-imported`, name: 'Imported' },
        ...{ category: 'SENSOR', definition: {} },
      },
    }),
  },
  templateMigrate: {
    needs: 'devices.write',
    input: (of) => ({ templateKey: `${of.mark}-moving`, target: { ids: [of.outdatedId] } }),
  },
  templateDelete: { needs: 'templates.write', input: (of) => ({ id: of.ids['DeviceTemplate'] }) },
  deviceUpdate: { needs: 'devices.write', input: (of) => ({ id: of.ids['Device'], name: 'changed' }) },
  moduleInstall: {
    needs: 'devices.write',
    input: (of) => ({
      ...{
        deviceId: of.ids['Device'],
        slot: 'one-wire',
        busAddress: '28-1',
        templateKey: 'temperature-probe',
      },
      metricMap: [{ raw: 'p1', metric: `${of.mark}.inlet`, templateMetric: 'temperature' }],
    }),
  },
  moduleUpdate: {
    needs: 'devices.write',
    input: (of) => ({ id: of.ids['DeviceModule'], name: 'changed' }),
  },
  sensorCreate: {
    needs: 'devices.write',
    input: (of) => ({ deviceId: of.ids['Device'], metric: `${of.mark}.more` }),
  },
  sensorUpdate: {
    needs: 'devices.write',
    input: (of) => ({ id: of.ids['DeviceSensor'], name: 'changed' }),
  },
  sensorDelete: { needs: 'devices.write', input: (of) => ({ id: of.manualSensorId }) },
  transportCreate: {
    needs: 'devices.write',
    input: (of) => ({ deviceId: of.ids['Device'], protocol: 'MODBUS' }),
  },
  transportUpdate: {
    needs: 'devices.write',
    input: (of) => ({ id: of.ids['DeviceTransport'], isPrimary: true }),
  },
  transportDelete: { needs: 'devices.write', input: (of) => ({ id: of.ids['DeviceTransport'] }) },
  moduleRemove: { needs: 'devices.write', input: (of) => ({ id: of.ids['DeviceModule'] }) },
  deviceTokenIssue: { needs: 'devices.write', input: (of) => ({ deviceId: of.ids['Device'] }) },
  deviceTokenRevoke: { needs: 'devices.write', input: (of) => ({ id: of.ids['DeviceCredential'] }) },
  deviceCertificateIssue: {
    needs: 'devices.write',
    input: (of) => ({ deviceId: of.ids['Device'], csr: of.csr }),
  },
  deviceCertificateGenerate: { needs: 'devices.write', input: (of) => ({ deviceId: of.ids['Device'] }) },
  deviceCertificateRenew: { needs: 'devices.write', input: (of) => ({ id: of.certificateId }) },
  tenantCaRotate: { needs: 'certificates.manage', input: () => ({}) },
  deviceCertificateRevoke: { needs: 'devices.write', input: (of) => ({ id: of.certificateId }) },
  claimCodeCreate: { needs: 'devices.write', input: (of) => ({ deviceId: of.ids['Device'] }) },
  claimCodeRevoke: { needs: 'devices.write', input: (of) => ({ id: of.ids['ClaimCode'] }) },
  provisioningTokenCreate: {
    needs: 'devices.write',
    input: (of) => ({ name: `${of.mark}-more`, siteKey: of.siteKey }),
  },
  provisioningTokenRevoke: { needs: 'devices.write', input: (of) => ({ id: of.ids['ProvisioningToken'] }) },
  commandSend: {
    needs: 'commands.send',
    input: (of) => ({ deviceId: of.ids['Device'], type: 'reboot', params: { delay_seconds: 5 } }),
  },
  commandSendMany: {
    needs: 'commands.send',
    input: (of) => ({
      target: { groupKey: `${of.mark}-static` },
      type: 'reboot',
      params: { delay_seconds: 7 },
    }),
  },
  commandCancel: { needs: 'commands.send', input: (of) => ({ id: of.ids['Command'] }) },
  quarantineReplay: {
    needs: 'quarantine.manage',
    input: (of) => ({ target: { ids: [of.ids['QuarantinedMessage']] } }),
  },
  quarantineDiscard: {
    needs: 'quarantine.manage',
    input: (of) => ({ target: { where: { deviceKey: of.device.key } } }),
  },
  groupCreate: {
    needs: 'groups.write',
    input: (of) => ({ key: `${of.mark}-group`, filter: { siteKeys: [of.siteKey] } }),
  },
  groupUpdate: { needs: 'groups.write', input: (of) => ({ id: of.ids['DeviceGroup'], name: 'changed' }) },
  devicesTag: {
    needs: 'devices.write',
    input: (of) => ({ target: { ids: [of.ids['Device']] }, tags: [`${of.mark}-more`] }),
  },
  devicesUntag: {
    needs: 'devices.write',
    input: (of) => ({ target: { groupKey: `${of.mark}-static` }, tags: [`${of.mark}-more`] }),
  },
  devicesSetSite: {
    needs: 'devices.write',
    input: (of) => ({ target: { where: { keys: [of.device.key] } }, siteKey: of.siteKey }),
  },
  devicesSetStatus: {
    needs: 'devices.write',
    input: (of) => ({ target: { ids: [of.ids['Device']] }, status: 'ACTIVE' }),
  },
  devicesAddToGroup: {
    needs: 'groups.write',
    input: (of) => ({ target: { ids: [of.ids['Device']] }, groupKey: `${of.mark}-static` }),
  },
  jobCancel: { needs: 'devices.write', input: (of) => ({ id: of.ids['Job'] }) },
  groupAddDevices: {
    needs: 'groups.write',
    input: (of) => ({ id: of.ids['DeviceGroup'], target: { ids: [of.ids['Device']] } }),
  },
  groupRemoveDevices: {
    needs: 'groups.write',
    input: (of) => ({ id: of.ids['DeviceGroup'], target: { groupKey: `${of.mark}-dynamic` } }),
  },
  groupDelete: { needs: 'groups.write', input: (of) => ({ id: of.ids['DeviceGroup'] }) },
  shadowUpdate: {
    needs: 'shadow.write',
    input: (of) => ({ deviceId: of.ids['Device'], patch: { note: of.mark }, expectedVersion: 1 }),
  },
  deviceDecommission: { needs: 'devices.write', input: (of) => ({ id: of.ids['Device'] }) },
  apiKeyCreate: { needs: 'apiKeys.manage', input: (of) => ({ name: `${of.mark}-second`, role: 'VIEWER' }) },
  apiKeyRotate: { needs: 'apiKeys.manage', input: (of) => ({ id: of.ids['ApiKey'] }) },
  memberInvite: {
    needs: 'members.manage',
    input: (of) => ({ email: `${of.mark}-new@example.com`, role: 'VIEWER' }),
  },
  invitationAccept: {
    needs: null,
    by: (of) => `${of.mark}-guest`,
    input: (of) => ({ token: of.invitationToken }),
  },
  invitationRevoke: { needs: 'members.manage', input: (of) => ({ id: of.openInvitationId }) },
  memberUpdate: { needs: 'members.manage', input: (of) => ({ id: of.ids['Member'], role: 'VIEWER' }) },
  memberRemove: { needs: 'members.manage', input: (of) => ({ id: of.ids['Member'] }) },
  apiKeyRevoke: { needs: 'apiKeys.manage', input: (of) => ({ id: of.ids['ApiKey'] }) },
  auditExportCreate: {
    needs: 'audit.read',
    input: (of) => ({ format: 'JSONL', where: { target: of.ids['Device'] } }),
  },
  siteCreate: { needs: 'sites.write', input: (of) => ({ key: `${of.mark}-place` }) },
  siteUpdate: { needs: 'sites.write', input: (of) => ({ id: of.ids['Site'], name: 'changed' }) },
  siteDelete: { needs: 'sites.write', input: (of) => ({ id: of.emptySiteId }) },
  tenantCreate: {
    needs: 'platform.operate',
    input: (of) => ({ slug: `${of.mark.toLowerCase()}-2`, name: 'Second', reason: REASON }),
  },
  tenantSuspend: {
    needs: 'platform.operate',
    input: (of) => ({ slug: of.tenant.slug, reason: REASON }),
  },
  tenantResume: { needs: 'platform.operate', input: (of) => ({ slug: of.tenant.slug, reason: REASON }) },
  tenantDelete: { needs: 'platform.operate', input: (of) => ({ slug: of.tenant.slug, reason: REASON }) },
  tenantDeleteCancel: {
    needs: 'platform.operate',
    input: (of) => ({ slug: of.tenant.slug, reason: REASON }),
  },
};

export const subscriptions: Readonly<Record<string, (of: Estate) => readonly Arguments[]>> = {
  commands: (of) => [{}, { where: { deviceKeys: [of.device.key] } }],
  presence: (of) => [
    {},
    { where: { deviceIds: [of.ids['Device']] } },
    { where: { deviceKeys: [of.device.key] } },
    { where: { siteKeys: [of.siteKey] } },
  ],
  shadows: (of) => [
    {},
    { where: { deviceIds: [of.ids['Device']] } },
    { where: { deviceKeys: [of.device.key] } },
    { where: { siteKeys: [of.siteKey] } },
  ],
  telemetry: (of) => [
    {},
    { where: { deviceIds: [of.ids['Device']] } },
    { where: { deviceKeys: [of.device.key] } },
    { where: { siteKeys: [of.siteKey] } },
  ],
};
