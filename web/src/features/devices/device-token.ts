import { graphql } from '../../generated/index.ts';

export const deviceTokenIssueDocument = graphql(`
  mutation DeviceTokenIssue($input: DeviceTokenIssueInput!) {
    deviceTokenIssue(input: $input) {
      __typename
      ... on DeviceTokenIssueSuccess {
        device {
          ...DeviceAccess
        }
        token {
          username
          secret
        }
      }
      ...Failure
    }
  }
`);

export const deviceTokenRevokeDocument = graphql(`
  mutation DeviceTokenRevoke($input: DeviceTokenRevokeInput!) {
    deviceTokenRevoke(input: $input) {
      __typename
      ... on DeviceTokenRevokeSuccess {
        device {
          ...DeviceAccess
        }
      }
      ...Failure
    }
  }
`);
