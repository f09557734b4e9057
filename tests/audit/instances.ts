import { expect } from 'vitest';
import { makeDevice, type Recipes, type Scene } from './recipe.ts';

/** A gateway of the platform’s template. */
async function makeGateway(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation { deviceCreate(input: { key: "${key}", templateKey: "gateway", withToken: false }) {
      ... on DeviceCreateSuccess { device { id } } } }`,
  );
  return data.deviceCreate.device.id;
}

const map = [{ raw: 't1', metric: 'inlet', scale: 1, offset: 0 }];

async function moduleId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation ($deviceId: ID!) { moduleInstall(input: { deviceId: $deviceId, slot: "analog-1", templateKey: "temperature-probe", name: "Probe",
      metricMap: [{ raw: "t1", metric: "inlet", templateMetric: "temperature" }] }) { ... on ModuleInstallSuccess { module { id } } } }`,
    { deviceId: await makeGateway(scene, key) },
  );
  return data.moduleInstall.module.id;
}

async function sensorId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation ($deviceId: ID!) { sensorCreate(input: { deviceId: $deviceId, metric: "own" }) { ... on SensorCreateSuccess { sensor { id } } } }`,
    { deviceId: (await makeDevice(scene, key)).id },
  );
  return data.sensorCreate.sensor.id;
}

async function transportId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation ($deviceId: ID!) { transportCreate(input: { deviceId: $deviceId, protocol: HTTP }) { ... on TransportCreateSuccess { transport { id } } } }`,
    { deviceId: (await makeDevice(scene, key)).id },
  );
  return data.transportCreate.transport.id;
}

const own = {
  ...{ metric: 'own', name: 'own', type: 'FLOAT', unit: null, min: null, max: null },
  ...{ source: 'MANUAL', active: true },
};
const http = { protocol: 'HTTP', link: null, settings: {}, isPrimary: true };
const module = { slot: 'analog-1', name: 'Probe', serialNumber: null, busAddress: null, metricMap: map };

export const instances: Recipes = {
  moduleInstall: {
    table: 'device_modules',
    input: async (scene) => ({
      ...{ deviceId: await makeGateway(scene, 'host'), slot: 'analog-1', templateKey: 'temperature-probe' },
      ...{ name: 'Probe', metricMap: [{ raw: 't1', metric: 'inlet', templateMetric: 'temperature' }] },
    }),
    target: 'host/analog-1',
    before: null,
    after: { ...module, template: 'temperature-probe', templateVersion: 1 },
  },
  moduleUpdate: {
    table: 'device_modules',
    input: async (scene) => ({
      id: await moduleId(scene, 'altered'),
      serialNumber: 'S-1',
      metricMap: [{ ...map[0], templateMetric: 'temperature', scale: 2 }],
    }),
    target: 'altered/analog-1',
    before: { serialNumber: null, metricMap: map },
    after: { serialNumber: 'S-1', metricMap: [{ ...map[0], scale: 2 }] },
  },
  moduleRemove: {
    table: 'device_modules',
    input: async (scene) => ({ id: await moduleId(scene, 'emptied') }),
    target: 'emptied/analog-1',
    before: { ...module, removedAt: null },
    after: { removedAt: expect.any(String) },
  },
  sensorCreate: {
    table: 'device_sensors',
    input: async (scene) => ({ deviceId: (await makeDevice(scene, 'sensing')).id, metric: 'own' }),
    target: 'sensing/own',
    before: null,
    after: own,
  },
  sensorUpdate: {
    table: 'device_sensors',
    input: async (scene) => ({ id: await sensorId(scene, 'described'), unit: 'V', active: false }),
    target: 'described/own',
    before: { unit: null, active: true },
    after: { unit: 'V', active: false },
  },
  sensorDelete: {
    table: 'audit_entries',
    input: async (scene) => ({ id: await sensorId(scene, 'insensible') }),
    target: 'insensible/own',
    before: own,
    after: null,
  },
  transportCreate: {
    table: 'device_transports',
    input: async (scene) => ({
      deviceId: (await makeDevice(scene, 'reached')).id,
      ...{ protocol: 'MQTT', settings: { password: 'hunter2' } },
    }),
    target: 'reached/MQTT',
    before: null,
    after: { ...http, protocol: 'MQTT', settings: { password: '[redacted]' } },
  },
  transportUpdate: {
    table: 'device_transports',
    input: async (scene) => ({ id: await transportId(scene, 'redirected'), link: 'WIFI' }),
    target: 'redirected/HTTP',
    before: { link: null },
    after: { link: 'WIFI' },
  },
  transportDelete: {
    table: 'audit_entries',
    input: async (scene) => ({ id: await transportId(scene, 'cut-off') }),
    target: 'cut-off/HTTP',
    before: http,
    after: null,
  },
};
