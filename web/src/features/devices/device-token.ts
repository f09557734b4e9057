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
      ... on UserError {
        message
        code
        path
      }
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
      ... on UserError {
        message
        code
        path
      }
    }
  }
`);
