import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTemplateDefinition, slotProblems } from '#core/fleet/template-definition.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';

const SYSTEM_KEYS = [
  ...['ac-power-meter', 'dc-power-meter', 'gateway', 'generic', 'gps-tracker', 'humidity-sensor'],
  'temperature-probe',
];

describe('templates', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await openTestApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('come with the platform, whole and valid', async () => {
    const { rows } = await api.database.admin.query<{
      key: string;
      category: TemplateCategory;
      definition: TemplateDefinition;
    }>(
      `select t.key, t.category, v.definition from device_templates t
       join template_versions v on v.template_id = t.id and v.version = t.version
       where t.tenant_id is null and v.tenant_id is null order by t.key`,
    );
    expect(rows.map(({ key }) => key)).toEqual(SYSTEM_KEYS);
    const categories = new Map(rows.map(({ key, category }) => [key, category]));
    for (const { key, definition } of rows) {
      expect(parseTemplateDefinition(definition), key).toEqual(definition);
      expect({ key, problems: slotProblems(definition, (slot) => categories.get(slot)) }).toEqual({
        key,
        problems: [],
      });
    }
    const gateway = rows.find(({ key }) => key === 'gateway')?.definition;
    expect([gateway?.metrics.length, gateway?.commands.length, gateway?.slots.length]).toEqual([6, 3, 4]);
  });
});
