import type { Recipes, Scene } from './recipe.ts';

const DEFINITION = { metrics: [{ key: 'load', name: 'Load', type: 'FLOAT' }] };

async function makeTemplate({ ask }: Scene, key: string): Promise<string> {
  const { templateCreate } = await ask(
    `mutation ($input: TemplateCreateInput!) { templateCreate(input: $input) { ... on TemplateCreateSuccess { template { id } } } }`,
    { input: { key, name: 'Of ours', category: 'SENSOR', definition: DEFINITION } },
  );
  return templateCreate.template.id;
}

const summary = { category: 'SENSOR', version: 1, metrics: ['load'], commands: [], slots: [] };

export const templates: Recipes = {
  templateCreate: {
    table: 'template_versions',
    input: async () => ({ key: 'made', name: 'Made', category: 'SENSOR', definition: DEFINITION }),
    target: 'made',
    before: null,
    after: { ...summary, name: 'Made', description: '' },
  },
  templateUpdate: {
    table: 'template_versions',
    input: async (scene) => ({
      id: await makeTemplate(scene, 'changed'),
      expectedVersion: 1,
      name: 'Otherwise',
      definition: { ...DEFINITION, discoverSensors: false, metrics: [] },
    }),
    target: 'changed',
    before: { name: 'Of ours', version: 1 },
    after: {
      ...{ name: 'Otherwise', version: 2 },
      ...{ added: [], removed: ['metrics.load'], changed: ['discoverSensors'] },
    },
  },
  templateDelete: {
    table: 'outbox',
    input: async (scene) => ({ id: await makeTemplate(scene, 'gone') }),
    target: 'gone',
    before: { name: 'Of ours', description: '', category: 'SENSOR', version: 1 },
    after: null,
  },
  templateClone: {
    table: 'device_templates',
    input: async (scene) => ({ id: await makeTemplate(scene, 'original'), key: 'copy', name: 'Copy' }),
    target: 'copy',
    before: null,
    after: { ...summary, name: 'Copy', description: '', from: 'original/1' },
  },
  templateImport: {
    table: 'device_templates',
    input: async () => ({
      document: {
        ...{ format: 'fleetgraph.template', formatVersion: 1, key: 'imported', name: 'Imported' },
        ...{ category: 'SENSOR', definition: DEFINITION },
      },
    }),
    target: 'imported',
    before: null,
    after: { ...summary, name: 'Imported', description: '' },
  },
};
