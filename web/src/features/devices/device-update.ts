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
      ... on ValidationError {
        message
        code
        path
        issues {
          path
          message
        }
      }
      ... on ConflictError {
        message
        code
        path
        currentVersion
      }
      ... on NotFoundError {
        message
        code
        path
      }
      ... on ForbiddenError {
        message
        code
        path
      }
    }
  }
`);
