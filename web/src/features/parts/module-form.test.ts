import { describe, expect, it } from 'vitest';
import { choicesFor, metricsOf, plainMetrics, rowOfEntry, toModuleInstall } from './module-form.ts';
import type { DeviceParts, Slot, TemplateChoice } from './parts-documents.ts';

const slot: Slot = {
  ...{ key: 'bus', name: 'Bus', interface: 'I2C', maxDevices: 2, required: false },
  compatibleTemplates: [],
};
const template = (
  key: string,
  category: TemplateChoice['category'],
  metrics: string[] = [],
): TemplateChoice => ({
  ...{ id: key, key, name: key, category },
  metrics: metrics.map((metric) => ({ key: metric, name: metric, required: false })),
});
const device: DeviceParts = {
  ...{ id: 'd', key: 'd', name: 'd', version: 7, metricMap: [], parent: null, childCount: 0, template: null },
  ...{ slots: [slot], modules: [], sensors: [], transports: [] },
};

describe('a module', () => {
  it('is offered for a slot by the list of the slot, or else for what it is', () => {
    const templates = [
      template('probe', 'SENSOR'),
      template('relay', 'EXPANSION_MODULE'),
      template('box', 'GATEWAY'),
    ];
    expect(choicesFor(slot, templates).map(({ key }) => key)).toEqual(['probe', 'relay']);
    const named = { ...slot, compatibleTemplates: ['box', 'gone'] };
    expect(choicesFor(named, templates).map(({ key }) => key)).toEqual(['box']);
  });

  it('sends only the metrics that do not keep name and value, and finds the row that an error is about', () => {
    const [plain, mapped] = plainMetrics(template('probe', 'SENSOR', ['humidity', 'temperature']));
    if (!plain || !mapped) throw new Error('two metrics were expected');
    const rows = [plain, { ...mapped, raw: 't1', metric: 'inlet', scale: '0.1', offset: '' }];
    const values = {
      templateKey: 'probe',
      name: ' ',
      serialNumber: '',
      busAddress: ' 28-1 ',
      metricMap: rows,
    };
    expect(toModuleInstall(values, device, slot)).toEqual({
      ...{ deviceId: 'd', expectedVersion: 7, slot: 'bus', templateKey: 'probe' },
      ...{ serialNumber: null, busAddress: '28-1' },
      metricMap: [{ templateMetric: 'temperature', raw: 't1', metric: 'inlet', scale: 0.1, offset: 0 }],
    });
    expect(rowOfEntry(rows, 0)).toBe(1);
  });

  it('in its slot shows the metrics that it measures as its map and its sensors have them', () => {
    const module = {
      ...{ id: 'm', slot: 'bus', name: 'Probe', serialNumber: null, busAddress: null, installedAt: '' },
      metricMap: [{ raw: 't1', metric: 'inlet', scale: 0.1, offset: -4 }],
    };
    const sensor = (metric: string, templateMetric: string, moduleId: string) => ({
      ...{ id: metric, metric, templateMetric, name: metric, type: 'FLOAT' as const, unit: null, min: null },
      ...{ max: null, source: 'MODULE' as const, active: true, isModelled: true },
      module: { id: moduleId, name: 'Probe' },
    });
    const sensors = [sensor('inlet', 'temperature', 'm'), sensor('rh', 'humidity', 'other')];
    expect(metricsOf(module, { ...device, sensors })).toEqual([
      {
        ...{ templateMetric: 'temperature', label: 'inlet', raw: 't1', metric: 'inlet' },
        ...{ scale: '0.1', offset: '-4' },
      },
    ]);
  });
});
