import { describe, expect, it } from 'vitest';
import { metricMapSchema } from './metric-map.ts';
import { parseTemplateDefinition, slotProblems, templateDefinitionSchema } from './template-definition.ts';
import type { TemplateCategory } from './templates.ts';

const metric = { key: 'load', name: 'Load', type: 'FLOAT' };
const slot = { key: 'port-1', name: 'Port 1', type: 'EXPANSION_PORT', interface: 'I2C' };

const problems = (definition: unknown): string[] =>
  (templateDefinitionSchema.safeParse(definition).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('/')}: ${message}`,
  );

describe('definitions of templates', () => {
  it('fills in what is left out', () => {
    expect(
      parseTemplateDefinition({ metrics: [metric], slots: [slot], transports: [{ protocol: 'MQTT' }] }),
    ).toEqual({
      metrics: [
        { ...metric, unit: null, min: null, max: null, precision: null, required: false, values: [] },
      ],
      commands: [],
      slots: [{ ...slot, maxDevices: 1, compatibleTemplates: [], required: false }],
      transports: [{ protocol: 'MQTT', link: null, settings: {} }],
      unknownMetrics: 'ACCEPT',
      invalidValues: 'FLAG',
      discoverSensors: true,
      expectedIntervalSeconds: null,
    });
  });

  it('says every problem with its path', () => {
    expect(
      problems({
        metrics: [
          { ...metric, min: 5, max: 1 },
          { ...metric, key: 'no spaces' },
          { ...metric, type: 'STRING', min: 0, precision: 2 },
          { ...metric, key: 'state', type: 'ENUM' },
          { ...metric, key: 'mode', type: 'ENUM', values: ['a', 'a'] },
          { ...metric, key: 'count', type: 'INTEGER', max: 1.5, precision: 1 },
          { ...metric, key: 'x', values: ['a'], unti: 'V' },
          'load',
        ],
        commands: [
          { key: 'Reboot', name: '' },
          { key: 'go', name: 'Go', params: { type: 'object', properties: { a: { $ref: 'http://x' } } } },
          { key: 'go', name: 'Go again', response: [] },
        ],
        slots: [{ ...slot, interface: 'SMOKE', maxDevices: 0, compatibleTemplates: ['a', 'a', 'A'] }],
        transports: [{ protocol: 'MQTT', settings: { a: 'x'.repeat(5_000) } }],
        expectedIntervalSeconds: 0.5,
      }).sort(),
    ).toEqual(
      [
        'metrics/0/max: must not be less than min',
        'metrics/1/key: must be 1 to 128 of A-Z a-z 0-9 _ . - and begin with a letter or _',
        'metrics/2/key: load stands twice',
        'metrics/2/min: goes with FLOAT and INTEGER only',
        'metrics/2/precision: goes with FLOAT only',
        'metrics/3/values: must name the values that an ENUM takes',
        'metrics/4/values/1: a stands twice',
        'metrics/5/max: must be a whole number, since the metric is an INTEGER',
        'metrics/5/precision: goes with FLOAT only',
        'metrics/6/values: goes with ENUM only',
        'metrics/6/unti: is not known here',
        'metrics/7: must be an object',
        'commands/0/key: must be 1 to 64 of a-z 0-9 _ . - and begin with a letter',
        'commands/0/name: must not be empty',
        'commands/1/params/properties/a/$ref: must be #/$defs/ and the name of a definition that is there',
        'commands/2/key: go stands twice',
        'commands/2/response: must be a JSON Schema: an object',
        'slots/0/compatibleTemplates/1: a stands twice',
        'slots/0/compatibleTemplates/2: must be 1 to 63 of a-z 0-9 - and begin with a letter or digit',
        'slots/0/interface: must be one of ANALOG, DIGITAL, I2C, SPI, UART, USB, ONE_WIRE, RS485, MODBUS_RTU, CAN, BLUETOOTH, LORA',
        'slots/0/maxDevices: must be a whole number from 1 to 1000',
        'transports/0/settings: must have at most 4096 bytes',
        'expectedIntervalSeconds: must be a whole number from 1 to 604800',
      ].sort(),
    );
  });

  it('refuses what cannot be kept', () => {
    expect(problems({ metrics: [{ ...metric, max: Number.POSITIVE_INFINITY }] })).toEqual([
      'metrics/0/max: must be a finite number',
    ]);
    expect(problems({ metrics: [{ ...metric, name: 'a\0' }] })).toEqual([
      'metrics/0/name: must not hold NUL',
    ]);
    expect(problems({ metrics: [{ ...metric, unit: '\ud800' }] })).toEqual([
      'metrics/0/unit: must not hold half a character',
    ]);
    expect(
      problems({ metrics: Array.from({ length: 201 }, (_, n) => ({ ...metric, key: `m${n}` })) }),
    ).toEqual(['metrics: must have at most 200 entries']);
    expect(problems({ commands: [{ description: 'x'.repeat(300_000) }] })).toEqual([
      ': must have at most 262144 bytes',
    ]);
    expect(problems('definition')).toHaveLength(1);
    expect(problems(undefined)).toHaveLength(1);
    expect(() => parseTemplateDefinition(null)).toThrow();
  });

  it('wants the templates of a slot to be there and to fit one', () => {
    const definition = parseTemplateDefinition({
      slots: [{ ...slot, compatibleTemplates: ['probe', 'gone', 'gateway'] }],
    });
    const categories = new Map<string, TemplateCategory>([
      ['probe', 'SENSOR'],
      ['gateway', 'GATEWAY'],
    ]);
    expect(slotProblems(definition, (key) => categories.get(key))).toEqual([
      { path: ['slots', 0, 'compatibleTemplates', 1], message: 'there is no template gone' },
      {
        path: ['slots', 0, 'compatibleTemplates', 2],
        message: 'gateway is a GATEWAY: only an EXPANSION_MODULE or a SENSOR fits a slot',
      },
    ]);
  });
});

describe('metric maps', () => {
  it('name each raw metric and each metric once', () => {
    expect(metricMapSchema.parse([{ raw: 't', metric: 'temperature' }])).toEqual([
      { raw: 't', metric: 'temperature', scale: 1, offset: 0 },
    ]);
    const { error } = metricMapSchema.safeParse([
      { raw: 't', metric: 'temperature', scale: 0.1, offset: -40 },
      { raw: 't', metric: 'temperature' },
    ]);
    expect(error?.issues.map(({ path }) => path)).toEqual([
      [1, 'raw'],
      [1, 'metric'],
    ]);
    expect(metricMapSchema.safeParse([{ raw: 't', metric: 'x', scale: 0 }]).success).toBe(false);
    expect(metricMapSchema.safeParse([{ raw: 't', metric: 'x', scale: Number.NaN }]).success).toBe(false);
  });
});
