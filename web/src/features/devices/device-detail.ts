import { createContext, use } from 'react';
import type { DeviceDetailFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What a change of its credentials changes.
graphql(`
  fragment DeviceAccess on Device {
    id
    presence {
      credential
    }
    credentials {
      id
      kind
      hint
      createdAt
      expiresAt
      lastUsedAt
      revokedAt
      retiresAt
    }
    claimCodes {
      id
      hint
      state
      createdAt
      expiresAt
    }
  }
`);

// What the device page shows. Codegen finds it here; documents name it.
graphql(`
  fragment DeviceDetail on Device {
    ...DeviceRow
    attributes
    location {
      latitude
      longitude
    }
    serialNumber
    expectedIntervalSeconds
    version
    createdAt
    updatedAt
    decommissionedAt
    ...DeviceAccess
  }
`);

export const deviceDetailDocument = graphql(`
  query DeviceDetail($key: String!) {
    device(by: { key: $key }) {
      ...DeviceDetail
    }
  }
`);

export type DeviceDetail = DeviceDetailFragment;
export type DeviceCredential = DeviceDetail['credentials'][number];
export type ClaimCode = DeviceDetail['claimCodes'][number];

const DeviceContext = createContext<DeviceDetail | undefined>(undefined);
export const DeviceProvider = DeviceContext.Provider;

/** The device whose page this is. Throws outside of a device page. */
export function useDevice(): DeviceDetail {
  const device = use(DeviceContext);
  if (!device) throw new Error('useDevice needs a device page around it');
  return device;
}
