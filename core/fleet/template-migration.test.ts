import { describe, expect, it } from 'vitest';
import { parseTemplateDefinition } from './template-definition.ts';
import { type MigratingDevice, type MigratingSensor, planMigration } from './template-migration.ts';

const metric = (key: string, over: object = {}) => ({ key, name: key, type: 'FLOAT', ...over });
const definitionOf = (of: object) => parseTemplateDefinition(of);
const sensor = (name: string, over: Partial<MigratingSensor> = {}): MigratingSensor => ({
  ...{
    id: 1,
    metric: name,
    source: 'TEMPLATE',
    active: true,
    type: 'FLOAT',
    unit: null,
    min: null,
    max: null,
  },
  ...over,
});
const device = (over: Partial<MigratingDevice> = {}): MigratingDevice => ({
  ...{ decommissioned: false, expectedIntervalSeconds: 60, sensors: [], modules: [] },
  ...over,
});
const none = definitionOf({});

/** The keys of what a move to a version with these metrics does to these sensors. */
function changesOf(sensors: readonly MigratingSensor[], metrics: readonly object[]) {
  const plan = planMigration(device({ sensors }), none, definitionOf({ metrics }));
  if ('faults' in plan) throw new Error(plan.faults.map(({ message }) => message).join());
  return {
    appear: plan.appear.map(({ key }) => key),
    vanish: plan.vanish.map((gone) => gone.metric),
    change: plan.change.map((changed) => changed.metric.key),
  };
}

describe('a move to another version of a template', () => {
  it('brings sensors for what is required and not measured yet', () => {
    const metrics = [metric('a', { required: true }), metric('b', { required: true }), metric('c')];
    expect(changesOf([sensor('a')], metrics)).toEqual({ appear: ['b'], vanish: [], change: [] });
    expect(changesOf([sensor('a', { active: false })], metrics).appear).toEqual(['a', 'b']);
  });

  it('ends sensors whose metric is not named any more, but nobody else’s', () => {
    const sensors = [
      ...[sensor('gone'), sensor('ended', { active: false }), sensor('own', { source: 'MANUAL' })],
      ...[sensor('found', { source: 'DISCOVERED' }), sensor('of-module', { source: 'MODULE' })],
    ];
    expect(changesOf(sensors, [])).toEqual({ appear: [], vanish: ['gone'], change: [] });
  });

  it('describes otherwise what it says something else of, whoever brought it', () => {
    const metrics = [
      metric('same'),
      metric('unit', { unit: 'V' }),
      metric('range', { max: 5, required: true }),
    ];
    const sensors = [sensor('same'), sensor('unit'), sensor('range')];
    expect(changesOf(sensors, metrics).change).toEqual(['unit', 'range']);
    const others = [sensor('same', { source: 'DISCOVERED' }), sensor('range', { source: 'MANUAL', max: 5 })];
    expect(changesOf(others, metrics)).toEqual({ appear: [], vanish: [], change: ['same', 'range'] });
  });

  it('takes the interval with it, but for one of the device’s own', () => {
    const interval = (own: number, from: number | null, to: number | null) => {
      const plan = planMigration(
        device({ expectedIntervalSeconds: own }),
        definitionOf({ expectedIntervalSeconds: from }),
        definitionOf({ expectedIntervalSeconds: to }),
      );
      return 'faults' in plan ? undefined : plan.expectedIntervalSeconds;
    };
    expect(interval(30, 30, 10)).toBe(10);
    expect(interval(60, null, 10)).toBe(10);
    expect(interval(10, 10, null)).toBe(60);
    expect(interval(7, 30, 10)).toBe(7);
  });

  it('is refused with everything that is in the way', () => {
    const to = definitionOf({
      metrics: [metric('air')],
      slots: [
        { key: 'port', name: 'Port', type: 'SENSOR_PORT', interface: 'DIGITAL' },
        {
          key: 'bus',
          name: 'Bus',
          type: 'BUS',
          interface: 'I2C',
          maxDevices: 2,
          compatibleTemplates: ['probe'],
        },
      ],
    });
    const module = {
      slot: 'port',
      name: 'm',
      templateKey: 'probe',
      category: 'SENSOR',
      busAddress: null,
    } as const;
    const plan = planMigration(
      device({
        decommissioned: true,
        sensors: [sensor('air', { source: 'MODULE' }), sensor('air', { source: 'MODULE', active: false })],
        modules: [
          { ...module, name: 'fits' },
          { ...module, name: 'second' },
          { ...module, name: 'homeless', slot: 'gone' },
          { ...module, name: 'wrong', slot: 'bus', templateKey: 'relay', busAddress: '1' },
          { ...module, name: 'mute', slot: 'bus' },
          { ...module, name: 'one', slot: 'bus', busAddress: '7' },
        ],
      }),
      none,
      to,
    );
    expect('faults' in plan && plan.faults).toEqual([
      { code: 'DECOMMISSIONED', message: 'the device is decommissioned' },
      { code: 'SLOT_FULL', message: 'module second: the slot port takes 1 at once and is full' },
      { code: 'NO_SUCH_SLOT', message: 'module homeless: the device has no slot gone' },
      {
        code: 'NOT_COMPATIBLE',
        message: 'module wrong: relay does not fit into the slot bus, which takes probe',
      },
      { code: 'ADDRESS_NEEDED', message: expect.stringContaining('module mute: the slot bus is a bus') },
      { code: 'SLOT_FULL', message: expect.stringContaining('module one') },
      { code: 'METRIC_TAKEN', message: 'a module of the device measures air already' },
    ]);
  });
});
