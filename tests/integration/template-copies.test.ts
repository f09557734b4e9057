import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTemplates, TEMPLATE, type Templates } from './templates-setup.ts';

describe('copies of templates', () => {
  let templates: Templates;

  beforeAll(async () => {
    templates = await openTemplates();
  });
  afterAll(() => templates[Symbol.asyncDispose]());

  it('are copied whole, from the platform or the tenant, in any version', async () => {
    const { otherKey, ask, mutate, create, deviceOf } = templates;
    const { template: gateway } = await ask(`{ template(by: { key: "gateway" }) { ${TEMPLATE} } }`);
    const { template: copy } = await mutate('templateClone', { id: gateway.id, key: 'our-gateway' });
    const { key: _key, ...rest } = gateway.json;
    expect(copy).toMatchObject({ key: 'our-gateway', source: 'TENANT', version: 1, name: gateway.name });
    expect(copy.json).toEqual({ ...rest, key: 'our-gateway' });
    const own = await create({ key: 'versioned' });
    await deviceOf('versioned', 'versioned-1');
    await mutate('templateUpdate', { id: own.id, expectedVersion: 1, definition: {} });
    const { template: first } = await mutate('templateClone', {
      ...{ id: own.id, version: 1, key: 'versioned-1', name: 'First' },
    });
    expect(first).toMatchObject({ name: 'First', metrics: [{ key: 'load' }, { key: 'mode' }] });
    const { template: newest } = await mutate('templateClone', { id: own.id, key: 'versioned-2' });
    expect(newest.metrics).toEqual([]);
    expect(await mutate('templateClone', { id: own.id, version: 9, key: 'versioned-9' })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'version'],
    });
    expect(await mutate('templateClone', { id: own.id, key: 'versioned-1' })).toMatchObject({
      __typename: 'ConflictError',
    });
    expect(await mutate('templateClone', { id: own.id, key: 'stolen' }, otherKey)).toMatchObject({
      __typename: 'NotFoundError',
    });
  });

  it('leave one tenant and come into another as they were', async () => {
    const { otherKey, ask, mutate, create } = templates;
    const made = await create({ key: 'travels', description: 'Far.' });
    const system = await ask('{ templates(where: { source: SYSTEM }) { nodes { json } } }');
    const documents = [made.json, ...system.templates.nodes.map(({ json }: { json: unknown }) => json)];
    for (const [index, document] of documents.entries()) {
      const text = JSON.stringify(document);
      expect(text).not.toContain('acme');
      const fresh = { document: JSON.parse(text), ...(index > 0 && { key: `imported-${index}` }) };
      const { template } = await mutate('templateImport', fresh, otherKey);
      const expected = index > 0 ? { ...document, key: `imported-${index}` } : document;
      expect(JSON.stringify(template.json)).toBe(JSON.stringify(expected));
    }
  });

  it('are imported only from a document that is right in everything', async () => {
    const { create, mutate } = templates;
    const importOf = (document: unknown, rest = {}) => mutate('templateImport', { document, ...rest });
    const { json } = await create({ key: 'pump' });
    expect(await importOf(json)).toMatchObject({
      __typename: 'ConflictError',
      path: ['input', 'document', 'key'],
    });
    expect(await importOf(json, { key: 'gateway' })).toMatchObject({ path: ['input', 'key'] });
    const wrong = await importOf({
      ...json,
      formatVersion: 2,
      owner: 'acme',
      category: 'THING',
      definition: { ...json.definition, metrics: [{ key: 'a b', name: '', type: 'NUMBER' }], extra: 1 },
    });
    expect(
      wrong.issues.map(({ path, message }: { path: string[]; message: string }) => [path.join('.'), message]),
    ).toEqual([
      ['input.document.formatVersion', 'must be 1, the only one there is'],
      ['input.document.category', expect.stringContaining('must be one of GATEWAY')],
      ['input.document.definition.metrics.0.key', expect.stringContaining('must be 1 to 128')],
      ['input.document.definition.metrics.0.name', 'must not be empty'],
      ['input.document.definition.metrics.0.type', expect.stringContaining('must be one of FLOAT')],
      ['input.document.definition.extra', 'is not known here'],
      ['input.document.owner', 'is not known here'],
    ]);
    const foreign = { ...json.definition.slots[0], compatibleTemplates: ['theirs'] };
    expect(
      await importOf({ ...json, key: 'new', definition: { ...json.definition, slots: [foreign] } }),
    ).toMatchObject({
      issues: [{ path: ['input', 'document', 'definition', 'slots', '0', 'compatibleTemplates', '0'] }],
    });
    for (const document of [null, 'x', [], 7, {}])
      expect(await importOf(document ?? {})).toMatchObject({ __typename: 'ValidationError' });
  });
});
