import { describe, expect, it } from 'vitest';
import { mayPublish, maySubscribe } from './access.ts';

const own = 'tenant/acme/device/m1/';

describe('a device', () => {
  it.each(['telemetry', 'heartbeat', 'status', 'shadow/reported', 'commands/ack', 'ota/status'])(
    'may publish to its own %s',
    (leaf) => expect(mayPublish(own + leaf, 'acme', 'm1')).toBe(true),
  );

  it.each(['iot/m1/telemetry', 'iot/m1/hello', 'v1/telemetry/acme/m1'])(
    'may publish to %s, as dialects spell it',
    (topic) => expect(mayPublish(topic, 'acme', 'm1')).toBe(true),
  );

  it.each([
    ...[`${own}commands`, `${own}shadow/desired`, `${own}ota`, own, `${own}telemetry/`, `${own}+`, `${own}#`],
    ...['tenant/acme/device/m2/telemetry', 'tenant/rival/device/m1/telemetry', 'iot/m2/telemetry'],
    ...['v1/telemetry/rival/m1', '$SYS/brokers', '', '#', `/${own}telemetry`, `${own}telemetry\0`],
  ])('may not publish to %j', (topic) => expect(mayPublish(topic, 'acme', 'm1')).toBe(false));

  it.each([`${own}commands`, `${own}shadow/desired`, `${own}ota`, `${own}#`, `${own}+`, `${own}shadow/+`])(
    'may subscribe to %s',
    (filter) => expect(maySubscribe(filter, 'acme', 'm1', undefined)).toBe(true),
  );

  it.each([
    ...[`${own}telemetry`, `${own}shadow/reported`, 'tenant/acme/device/+/commands', '#', '+/+/+/+/commands'],
    ...['tenant/acme/device/m2/commands', 'tenant/rival/device/m1/commands', `$share/g/${own}commands`],
    ...['$SYS/#', '', `${own}#/x`, `${own}comm+`],
  ])('may not subscribe to %j', (filter) => expect(maySubscribe(filter, 'acme', 'm1', 'acme')).toBe(false));

  it('may subscribe to topics that name no tenant only where they are its tenant’s', () => {
    const may = (meterTenant: string | undefined) =>
      maySubscribe('iot/m1/command', 'acme', 'm1', meterTenant);
    expect([may('acme'), may('rival'), may(undefined)]).toEqual([true, false, false]);
  });
});
