import { expect } from 'vitest';
import { createRequest } from '../kit/certificate-request.ts';
import { makeDevice, type Recipes, type Scene } from './recipe.ts';

async function certificateId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation ($deviceId: ID!) { deviceCertificateGenerate(input: { deviceId: $deviceId }) {
      ... on DeviceCertificateGenerateSuccess { credential { id } } } }`,
    { deviceId: (await makeDevice(scene, key)).id },
  );
  return data.deviceCertificateGenerate.credential.id;
}

export const certificates: Recipes = {
  deviceCertificateIssue: {
    table: 'device_credentials',
    input: async (scene) => ({
      deviceId: (await makeDevice(scene, 'certified')).id,
      csr: (await createRequest({ name: 'ECDSA', namedCurve: 'P-256' })).csr,
    }),
    target: 'certified',
    before: null,
    after: { serial: expect.any(String), expiresAt: expect.any(String) },
  },
  deviceCertificateGenerate: {
    table: 'device_credentials',
    input: async (scene) => ({ deviceId: (await makeDevice(scene, 'generated')).id }),
    target: 'generated',
    before: null,
    after: { serial: expect.any(String), expiresAt: expect.any(String) },
  },
  deviceCertificateRevoke: {
    table: 'device_credentials',
    input: async (scene) => ({ id: await certificateId(scene, 'compromised'), reason: 'KEY_COMPROMISE' }),
    target: 'compromised',
    before: { serial: expect.any(String), revokedAt: null },
    after: { serial: expect.any(String), revokedAt: expect.any(String), reason: 'KEY_COMPROMISE' },
  },
  deviceCertificateRenew: {
    table: 'device_credentials',
    input: async (scene) => ({ id: await certificateId(scene, 'renewed') }),
    target: 'renewed',
    before: { serial: expect.any(String), retiresAt: null },
    after: {
      ...{ serial: expect.any(String), expiresAt: expect.any(String) },
      ...{ sameKey: true, retiresAt: expect.any(String) },
    },
  },
  tenantCaRotate: {
    table: 'certificate_authorities',
    input: async (scene) => ({ overlapSeconds: await certificateId(scene, 'resigned').then(() => 3_600) }),
    target: 'acme',
    before: { generation: 1 },
    after: { generation: 2, retiresAt: expect.any(String), certificates: expect.any(Number) },
  },
};
