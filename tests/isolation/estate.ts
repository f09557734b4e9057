import { encodeGlobalId, readGlobalId } from '#api/graphql/global-ids.ts';
import type { Answer, TestApi } from '#tests/kit/api.ts';
import { createRequest } from '#tests/kit/certificate-request.ts';
import { seedQuarantine } from '#tests/kit/quarantine.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';

/** A tenant that owns one of everything, each with the mark in its texts. */
export interface Estate {
  readonly tenant: TenantSeed;
  readonly mark: string;
  /** With a token; its readings are one minute old. */
  readonly device: SeededDevice;
  readonly siteKey: string;
  /** Of a sensor that somebody made. */
  readonly manualSensorId: string;
  /** Of a device that has an older version of the template `{mark}-moving`. */
  readonly outdatedId: string;
  /** Of a site where nothing is. */
  readonly emptySiteId: string;
  /** Global ids by Node type. */
  readonly ids: Readonly<Record<string, string>>;
  /** Of a message that nobody could use. */
  readonly deadReceipt: string;
  readonly certificateId: string;
  readonly csr: string;
  /** Of an invitation for `{mark}-guest`. */
  readonly invitationToken: string;
  /** Another one, for somebody else. */
  readonly openInvitationId: string;
  /** The row of its command. */
  readonly commandRow: string;
}

/** Makes it with the API's own mutations where there are some. `mark` is a slug. */
export async function openEstate(api: TestApi, mark: string): Promise<Estate> {
  const { admin } = api.database;
  const tenant = await seedTenant(admin, mark);
  const siteKey = `${mark}-site`;
  await tenant.site(siteKey);
  const device = await tenant.device(`${mark}-device`, { site: siteKey });
  await admin.query(
    `update devices set latitude = 48.2, longitude = 16.4, tags = array[$2], serial_number = $2, attributes = jsonb_build_object('note', $2::text) where id = $1`,
    [device.id, `${mark}-tag`],
  );
  // How much it sent tells it from others.
  await admin.query(
    `insert into tenant_usage (tenant_id, minute, messages, bytes, throttled, refused)
     values ($1, date_trunc('minute', now()), 7000 + $1, 1, 2, 3)`,
    [tenant.id],
  );
  await admin.query("select ensure_partition('readings', (now() at time zone 'utc')::date)");
  await admin.query(
    `insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics)
     values ($1, $2, now() - interval '1 minute', 1, now(), jsonb_build_object('t', 1, 'label', $3::text))`,
    [tenant.id, device.id, `${mark}-value`],
  );
  await admin.query(
    `insert into device_latest (device_id, tenant_id, newest_ts, metrics) values ($1, $2, now(), jsonb_build_object('label', jsonb_build_array($3::text, 1, '1', 1)))`,
    [device.id, tenant.id, `${mark}-value`],
  );
  const key = await api.apiKey(tenant);
  const ask = async (document: string, variables: Record<string, unknown> = {}) => {
    const { data, errors } = await api.ask(key, document, variables);
    if (errors.length > 0) throw new Error(`${document}: ${JSON.stringify(errors)}`);
    return data;
  };
  const { siteCreate } = await ask(
    `mutation { siteCreate(input: { key: "${mark}-empty" }) { ... on SiteCreateSuccess { site { id } } } }`,
  );
  const { commandSend } = await ask(
    `mutation ($id: ID!) { commandSend(input: { deviceId: $id, type: "${mark.toLowerCase()}.type", params: { note: "${mark}-note" } }) {
      ... on CommandSendSuccess { command { id } } } }`,
    { id: encodeGlobalId('Device', device.id) },
  );
  await ask(
    'mutation ($id: ID!) { deviceUpdate(input: { id: $id, templateKey: "gateway" }) { __typename } }',
    {
      id: encodeGlobalId('Device', device.id),
    },
  );
  const { moduleInstall } = await ask(
    `mutation ($id: ID!) { moduleInstall(input: { deviceId: $id, slot: "analog-1", templateKey: "humidity-sensor", name: "${mark}-module",
      metricMap: [{ raw: "t2", metric: "air", templateMetric: "temperature" }] }) {
      ... on ModuleInstallSuccess { module { id } } } }`,
    { id: encodeGlobalId('Device', device.id) },
  );
  const { sensorCreate } = await ask(
    `mutation ($id: ID!) { sensorCreate(input: { deviceId: $id, metric: "label", name: "${mark}-sensor", type: STRING }) {
      ... on SensorCreateSuccess { sensor { id } } } }`,
    { id: encodeGlobalId('Device', device.id) },
  );
  const { transportCreate } = await ask(
    `mutation ($id: ID!) { transportCreate(input: { deviceId: $id, protocol: HTTP, settings: { note: "${mark}-transport" } }) {
      ... on TransportCreateSuccess { transport { id } } } }`,
    { id: encodeGlobalId('Device', device.id) },
  );
  await ask(`mutation { apiKeyCreate(input: { name: "${mark}-key", role: VIEWER }) { __typename } }`);
  const found = await ask(
    `{ apiKeys { nodes { id name } } device(by: { key: "${mark}-device" }) { id site { id } credentials { id } } viewer { tenant { id } } }`,
  );
  await ask(
    `mutation ($id: ID!, $desired: JSON) { shadowUpdate(input: { deviceId: $id, desired: $desired, expectedVersion: 0 }) { __typename } }`,
    { id: found.device.id, desired: { label: `${mark}-desired` } },
  );
  await admin.query(
    `update device_shadows set reported = jsonb_build_object('label', $2::text), reported_version = 1, reported_at = now() where device_id = $1`,
    [device.id, `${mark}-reported`],
  );
  await admin.query(
    `insert into shadow_history (tenant_id, device_id, side, version, document, at)
     select tenant_id, device_id, 'REPORTED', 1, reported, now() from device_shadows where device_id = $1`,
    [device.id],
  );
  const generated = await ask(
    `mutation ($id: ID!) { deviceCertificateGenerate(input: { deviceId: $id }) {
      ... on DeviceCertificateGenerateSuccess { credential { id } } } }`,
    { id: found.device.id },
  );
  for (const name of ['boss', 'person']) {
    const token = await api.issuer.token({ tenant: mark, subject: `${mark}-${name}`, roles: ['ADMIN'] });
    await api.ask(token, '{ viewer { name } }');
  }
  const { members } = await ask(`{ members(where: { search: "${mark}-person" }) { nodes { id } } }`);
  const invite = (name: string) =>
    ask(`mutation { memberInvite(input: { email: "${mark}-${name}@example.com", role: VIEWER }) {
      ... on MemberInviteSuccess { token invitation { id } } } }`);
  const { memberInvite: invited } = await invite('guest');
  const { memberInvite: open } = await invite('other');
  await ask('mutation ($id: ID!) { claimCodeCreate(input: { deviceId: $id }) { __typename } }', {
    id: found.device.id,
  });
  const { provisioningTokenCreate } = await ask(
    `mutation { provisioningTokenCreate(input: { name: "${mark}-provisioning" }) {
      ... on ProvisioningTokenCreateSuccess { provisioningToken { id } } } }`,
  );
  for (const kind of ['static', 'dynamic']) {
    const filter = kind === 'static' ? '' : `, filter: { tagsAny: ["${mark}-tag"] }`;
    await ask(`mutation { groupCreate(input: { key: "${mark}-${kind}"${filter} }) { __typename } }`);
  }
  await admin.query(
    `insert into device_group_members (tenant_id, group_id, device_id) select tenant_id, id, $2 from device_groups where key = $1`,
    [`${mark}-static`, device.id],
  );
  const job = await admin.query<{ id: number }>(
    `with made as (insert into fleet_jobs (tenant_id, kind, input, actor, actor_name, total)
       values ($1, 'devicesTag', jsonb_build_object('tags', array[$2::text]), 'x', $2, 1) returning id)
     , listed as (insert into fleet_job_devices (job_id, device_id, tenant_id, error_code, error)
       select id, $3, $1, 'CONFLICT', $2 from made)
     select id from made`,
    [tenant.id, `${mark}-job`, device.id],
  );
  const { group } = await ask(`{ group(by: { key: "${mark}-static" }) { id } }`);
  const { templateCreate } = await ask(
    `mutation ($input: TemplateCreateInput!) { templateCreate(input: $input) { ... on TemplateCreateSuccess { template { id } } } }`,
    {
      input: {
        ...{ key: `${mark}-template`, name: `${mark} template`, description: mark, category: 'SENSOR' },
        definition: {
          metrics: [{ key: `${mark}_metric`, name: mark, type: 'FLOAT' }],
          commands: [{ key: `${mark}.go`, name: mark, params: { type: 'object', title: mark } }],
          slots: [{ key: `${mark}-slot`, name: mark, type: 'BUS', interface: 'I2C' }],
          transports: [{ protocol: 'MQTT', settings: { note: mark } }],
        },
      },
    },
  );
  const outdatedId = await makeOutdated(ask, mark);
  const codes = await ask('{ claimCodes { nodes { id } } }');
  const letter = await admin.query<{ batch_id: string }>(
    `insert into dead_letters (stream, stream_sequence, streamed_at, item_index, payload, reason, batch_id, tenant_id, device_key)
     values ('TELEMETRY', $1::int, now(), 0, $2, 'unusable', overlay(gen_random_uuid()::text placing '7' from 15)::uuid, $1::int, $3)
     returning batch_id`,
    [tenant.id, `${mark}-dead-bytes`, device.key],
  );
  const quarantined = await seedQuarantine(admin, tenant, device.key, `${mark}-bytes`);
  await seedQuarantine(admin, tenant, device.key, `${mark}-more-bytes`);
  const given = await seedQuarantine(admin, tenant, `${mark}-stranger`, 'x', `${mark}-REASON`);
  const { quarantineDiscard } = await ask(
    `mutation { quarantineDiscard(input: { target: { ids: ["${given}"] } }) { ... on QuarantineDiscardSuccess { job { id } } } }`,
  );
  await admin.query('update quarantine_jobs set requested_by = $2 where tenant_id = $1', [
    tenant.id,
    `${mark}-asker`,
  ]);
  const log = await ask('{ auditEntries { nodes { id } } }');
  const request = await createRequest({ name: 'ECDSA', namedCurve: 'P-256' });
  return {
    ...{ tenant, mark, device, siteKey },
    deadReceipt: `${letter.rows[0]?.batch_id}.0`,
    manualSensorId: sensorCreate.sensor.id,
    outdatedId,
    emptySiteId: siteCreate.site.id,
    certificateId: generated.deviceCertificateGenerate.credential.id,
    csr: request.csr,
    invitationToken: invited.token,
    openInvitationId: open.invitation.id,
    commandRow: readGlobalId(commandSend.command.id)?.id ?? '',
    ids: {
      Device: found.device.id,
      DeviceGroup: group.id,
      DeviceModule: moduleInstall.module.id,
      DeviceSensor: sensorCreate.sensor.id,
      DeviceTransport: transportCreate.transport.id,
      Job: Buffer.from(`Job:${job.rows[0]?.id}`).toString('base64url'),
      Site: found.device.site.id,
      DeviceTemplate: templateCreate.template.id,
      Tenant: found.viewer.tenant.id,
      DeviceCredential: found.device.credentials[0].id,
      ApiKey: found.apiKeys.nodes.find(({ name }: { name: string }) => name === `${mark}-key`).id,
      Member: members.nodes[0].id,
      Invitation: invited.invitation.id,
      Command: commandSend.command.id,
      ClaimCode: codes.claimCodes.nodes[0].id,
      ProvisioningToken: provisioningTokenCreate.provisioningToken.id,
      QuarantinedMessage: quarantined,
      QuarantineJob: quarantineDiscard.job.id,
      AuditEntry: log.auditEntries.nodes[0].id,
    },
  };
}

type Ask = (document: string, variables?: Record<string, unknown>) => Promise<Answer['data']>;

/** The id of a device that has version 1 of the template `{mark}-moving`, of which there are two. */
async function makeOutdated(ask: Ask, mark: string): Promise<string> {
  const metrics = [{ key: `${mark}_moving`, name: mark, type: 'FLOAT' }];
  const { templateCreate, deviceCreate } = await ask(
    `mutation ($input: TemplateCreateInput!) {
      templateCreate(input: $input) { ... on TemplateCreateSuccess { template { id } } }
      deviceCreate(input: { key: "${mark}-outdated", templateKey: "${mark}-moving", withToken: false }) {
        ... on DeviceCreateSuccess { device { id } } } }`,
    { input: { key: `${mark}-moving`, name: mark, category: 'SENSOR', definition: {} } },
  );
  await ask('mutation ($input: TemplateUpdateInput!) { templateUpdate(input: $input) { __typename } }', {
    input: { id: templateCreate.template.id, expectedVersion: 1, definition: { metrics } },
  });
  return deviceCreate.device.id;
}
