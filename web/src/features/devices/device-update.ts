import { graphql } from '../../generated/index.ts';

export const deviceUpdateDocument = graphql(`
  mutation DeviceUpdate($input: DeviceUpdateInput!) {
    deviceUpdate(input: $input) {
      __typename
      ... on DeviceUpdateSuccess {
        device {
          ...DeviceDetail
        }
      }
      ...Failure
    }
  }
`);
