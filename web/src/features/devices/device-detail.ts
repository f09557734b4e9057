import { createContext, use } from 'react';
import type { DeviceDetailFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

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
    credentials {
      id
      kind
      hint
      createdAt
      expiresAt
      lastUsedAt
      revokedAt
    }
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

const DeviceContext = createContext<DeviceDetail | undefined>(undefined);
export const DeviceProvider = DeviceContext.Provider;

/** The device whose page this is. Throws outside of a device page. */
export function useDevice(): DeviceDetail {
  const device = use(DeviceContext);
  if (!device) throw new Error('useDevice needs a device page around it');
  return device;
}
