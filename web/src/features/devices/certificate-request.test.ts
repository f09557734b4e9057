import 'reflect-metadata';

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { createKeyAndRequest } from './certificate-request.ts';

describe('a request made in the browser', () => {
  it('is signed by its own key, again and again', async () => {
    for (let round = 0; round < 50; round += 1) {
      const { csr, privateKey } = await createKeyAndRequest();
      const request = new Pkcs10CertificateRequest(csr);
      expect(await request.verify()).toBe(true);
      expect(request.subject).toBe('');
      const key = createPublicKey(createPrivateKey(privateKey)).export({ format: 'der', type: 'spki' });
      expect(Buffer.from(request.publicKey.rawData).equals(key)).toBe(true);
    }
  });
});
