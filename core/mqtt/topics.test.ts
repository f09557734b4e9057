import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildTopic,
  DOWNLINK_LEAVES,
  downlinkTopicsUnder,
  isTopicFilter,
  MAX_TOPIC_BYTES,
  matchesFilter,
  readTopic,
  readUsername,
  UPLINK_LEAVES,
} from './topics.ts';

const tenant = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
const device = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/);
const leaf = fc.constantFrom(...UPLINK_LEAVES, ...DOWNLINK_LEAVES);

describe('a topic', () => {
  it('reads back what it was built from, and fits the longest length', () => {
    fc.assert(
      fc.property(tenant, device, leaf, (slug, key, end) => {
        const topic = buildTopic(slug, key, end);
        expect(readTopic(topic)).toEqual({ tenant: slug, device: key, leaf: end });
        expect(topic.length).toBeLessThanOrEqual(MAX_TOPIC_BYTES);
      }),
    );
  });

  it.each([
    '',
    'telemetry',
    'tenant/acme/device/d1',
    'tenant/acme/device/d1/',
    'tenant/acme/device/d1/telemetry/',
    'tenant/acme/device/d1/telemetry/more',
    'tenant/Acme/device/d1/telemetry',
    'tenant//device/d1/telemetry',
    'tenant/acme/device/-d1/telemetry',
    'tenant/acme/device/+/telemetry',
    '/tenant/acme/device/d1/telemetry',
    'tenant/acme/gateway/d1/telemetry',
    'tenant/acme/device/d\0/telemetry',
  ])('is not one of ours: %j', (topic) => {
    expect(readTopic(topic)).toBeUndefined();
  });
});

describe('a filter', () => {
  it.each(['#', '+', 'a/+/c', 'a/#', '+/+/#', '/', 'a//b'])('is valid: %s', (filter) => {
    expect(isTopicFilter(filter)).toBe(true);
  });

  it.each(['', 'a#', 'a/#/b', 'a+/b', '#/a', 'a\0'])('is malformed: %j', (filter) => {
    expect(isTopicFilter(filter)).toBe(false);
  });

  it.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
  ])('%s against %s', (filter, topic, expected) => {
    expect(matchesFilter(filter, topic)).toBe(expected);
  });

  it('covers every topic that equals it', () => {
    fc.assert(
      fc.property(tenant, device, leaf, (slug, key, end) => {
        const topic = buildTopic(slug, key, end);
        expect(matchesFilter(topic, topic)).toBe(true);
      }),
    );
  });
});

describe('a subscription of a device', () => {
  const leaves = (filter: string) =>
    downlinkTopicsUnder(filter, 'acme', 'd1').map(({ leaf, dialect }) =>
      dialect === 'canonical' ? leaf : `${dialect} ${leaf}`,
    );

  it('may name a downlink topic exactly or by wildcard within its own tree', () => {
    expect(leaves('tenant/acme/device/d1/commands')).toEqual(['commands']);
    expect(leaves('tenant/acme/device/d1/+')).toEqual(['commands', 'ota']);
    expect(leaves('tenant/acme/device/d1/#')).toEqual(['shadow/desired', 'commands', 'ota']);
    for (const end of ['command', '+', '#']) expect(leaves(`iot/d1/${end}`)).toEqual(['meter2 commands']);
  });

  it.each([
    'tenant/acme/device/d1/telemetry',
    'tenant/acme/device/d2/commands',
    'iot/d2/command',
    'iot/+/command',
    'iot/d1/telemetry',
    'iot/d1/command/ack',
    'tenant/acme/device/+/commands',
    'tenant/other/device/d1/commands',
    'tenant/acme/device/d1',
    'tenant/acme/#',
    '#',
    '$share/g/tenant/acme/device/d1/commands',
    'tenant/acme/device/d1/#/x',
  ])('hears nothing through %s', (filter) => {
    expect(leaves(filter)).toEqual([]);
  });
});

describe('a user name', () => {
  it('is tenant and device', () => {
    expect(readUsername('acme/d1')).toEqual({ tenant: 'acme', device: 'd1' });
  });

  it.each(['', 'acme', '/d1', 'acme/', 'acme/d1/x', 'ACME/d1'])('is not %j', (text) => {
    expect(readUsername(text)).toBeUndefined();
  });
});
