import { describe, expect, it } from 'vitest';
import {
  fieldOf,
  newMetric,
  type TemplateValues,
  templateRules,
  toDefinition,
  toTemplateValues,
} from './template-form.ts';

const empty = toTemplateValues(undefined);
const withMetrics = (...metrics: TemplateValues['metrics']): TemplateValues => ({ ...empty, metrics });

describe('the editor of a template', () => {
  it('says what was typed, and nothing that does not belong to the type', () => {
    const { metrics } = toDefinition(
      withMetrics(
        { ...newMetric, key: 'voltage', min: '0', max: ' 900 ', precision: '1', unit: 'V' },
        { ...newMetric, key: 'mode', type: 'ENUM', values: 'eco, boost,', min: '1', precision: '2' },
      ),
    );
    expect(metrics).toEqual([
      {
        ...{ key: 'voltage', name: 'voltage', type: 'FLOAT', required: false },
        ...{ unit: 'V', min: 0, max: 900, precision: 1, values: [] },
      },
      {
        ...{ key: 'mode', name: 'mode', type: 'ENUM', required: false },
        ...{ unit: null, min: null, max: null, precision: null, values: ['eco', 'boost'] },
      },
    ]);
  });

  it('takes what a template says and says the same', () => {
    const definition = {
      ...({ unknownMetrics: 'FLAG', invalidValues: 'QUARANTINE', discoverSensors: false } as const),
      expectedIntervalSeconds: 30,
      metrics: [
        {
          ...({ key: 't', name: 'Temperature', type: 'FLOAT', unit: 'Cel', min: -40, max: 85 } as const),
          ...{ precision: 1, required: true, values: [] },
        },
      ],
      commands: [
        { key: 'reboot', name: 'Reboot', description: '', params: { type: 'object' }, response: null },
      ],
      slots: [
        {
          ...({ key: 'port', name: 'Port', type: 'SENSOR_PORT', interface: 'ONE_WIRE' } as const),
          ...{ maxDevices: 4, compatibleTemplates: ['temperature-probe'], required: false },
        },
      ],
      transports: [{ protocol: 'MQTT', link: null, settings: {} } as const],
    };
    const template = {
      ...({
        id: 'x',
        key: 'own',
        name: 'Own',
        description: '',
        category: 'GATEWAY',
        source: 'TENANT',
      } as const),
      ...{ version: 1, deviceCount: 0, moduleCount: 0, updatedAt: '2026-01-01T00:00:00Z' },
      ...definition,
    };
    expect(toDefinition(toTemplateValues(template))).toEqual(definition);
  });

  it('finds the field that a problem is about', () => {
    expect(fieldOf(['input', 'definition', 'metrics', '3', 'min'])).toBe('metrics.3.min');
    expect(fieldOf(['input', 'key'])).toBe('key');
    expect(fieldOf(['input', 'definition', 'slots', '0'])).toBe('slots.0.key');
    expect(fieldOf(['input', 'definition', 'transports', '1', 'nothing'])).toBe('transports.1.protocol');
    expect(fieldOf(['input', 'definition'])).toBeUndefined();
    expect(fieldOf(['input', 'expectedVersion'])).toBeUndefined();
    expect(fieldOf(['input', 'definition', 'metrics'])).toBeUndefined();
  });

  it('refuses what cannot be said', () => {
    expect(templateRules.number('1e3')).toBe(true);
    expect(templateRules.number('much')).toBe('A number.');
    expect(templateRules.count('0')).toContain('from 1');
    expect(templateRules.json('[1]')).toContain('JSON object');
    expect(templateRules.json('')).toBe(true);
  });
});
