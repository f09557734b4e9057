import { expect } from 'vitest';
import { openTestApi } from '../kit/api.ts';
import { seedTenant } from '../kit/seed.ts';

const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion } ... on ForbiddenError { permission }`;
export const TEMPLATE = `id key name description category source version unknownMetrics invalidValues discoverSensors
  expectedIntervalSeconds deviceCount moduleCount json
  metrics { key name type unit min max precision required values }
  commands { key name description params response }
  slots { key name type interface maxDevices compatibleTemplates required }
  transports { protocol link settings } versions { version createdBy deviceCount }`;
export const mutation = (name: string, success = `template { ${TEMPLATE} }`) => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${success} } ${FAULTS} } }`;
};

export const DEFINITION = {
  metrics: [
    { key: 'load', name: 'Load', type: 'FLOAT', unit: '%', min: 0, max: 100, precision: 1, required: true },
    { key: 'mode', name: 'Mode', type: 'ENUM', values: ['slow', 'fast'] },
  ],
  commands: [
    {
      ...{ key: 'go', name: 'Go', description: 'Moves it.' },
      params: {
        type: 'object',
        properties: { speed: { type: 'integer', minimum: 0 }, a: { const: null } },
        required: ['speed'],
      },
      response: { type: 'object' },
    },
  ],
  slots: [
    {
      ...{ key: 'probes', name: 'Probes', type: 'BUS', interface: 'ONE_WIRE', maxDevices: 4 },
      compatibleTemplates: ['temperature-probe'],
    },
  ],
  transports: [{ protocol: 'MQTT', link: 'CELLULAR', settings: { apn: 'iot', nothing: null } }],
  unknownMetrics: 'QUARANTINE',
  invalidValues: 'FLAG',
  discoverSensors: false,
  expectedIntervalSeconds: 30,
};

/** Two tenants on an API of their own, and what tests of templates ask of it. */
export async function openTemplates() {
  const api = await openTestApi();
  const acme = await seedTenant(api.database.admin, 'acme');
  const other = await seedTenant(api.database.admin, 'other');
  const [key, otherKey] = [await api.apiKey(acme), await api.apiKey(other)];

  const ask = async (document: string, variables: Record<string, unknown> = {}, credential = key) => {
    const { data, errors } = await api.ask(credential, document, variables);
    expect(errors).toEqual([]);
    return data;
  };
  const mutate = async (name: string, input: Record<string, unknown>, credential = key) =>
    (await ask(mutation(name), { input }, credential))[name];
  const create = async (input: Record<string, unknown>, credential = key) => {
    const result = await mutate(
      'templateCreate',
      { name: 'Ours', category: 'EDGE_DEVICE', definition: DEFINITION, ...input },
      credential,
    );
    expect(result).toMatchObject({ __typename: 'TemplateCreateSuccess' });
    return result.template;
  };
  const mutateDevice = async (input: Record<string, unknown>) =>
    (await ask(mutation('deviceCreate', 'device { key }'), { input })).deviceCreate;
  const remove = async (id: string, credential = key) =>
    (await ask(mutation('templateDelete', 'deletedId'), { input: { id } }, credential)).templateDelete;
  /** Makes a device of the newest version of a template. */
  const deviceOf = async (template: string, device: string): Promise<number> => {
    const { id } = await acme.device(device);
    await api.database.admin.query(
      `update devices d set template_id = t.id, template_version = t.version from device_templates t
       where d.id = $1 and t.key = $2`,
      [id, template],
    );
    return id;
  };
  const controls = async () => {
    const { rows } = await api.database.admin.query<{ payload: Buffer }>(
      `select payload from outbox where subject = 'control.template' order by id`,
    );
    return rows.map(({ payload }) => JSON.parse(payload.toString()));
  };

  return {
    ...{ api, acme, key, otherKey, ask, mutate, create, mutateDevice, remove, deviceOf, controls },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

export type Templates = Awaited<ReturnType<typeof openTemplates>>;
