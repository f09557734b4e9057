import { graphql } from '../../generated/index.ts';

export const connectInfoDocument = graphql(`
  query ConnectInfo {
    connectInfo {
      mqttsUrl
    }
  }
`);

export const certificateIssueDocument = graphql(`
  mutation DeviceCertificateIssue($input: DeviceCertificateIssueInput!) {
    deviceCertificateIssue(input: $input) {
      __typename
      ... on DeviceCertificateIssueSuccess {
        certificate
        ca
        credential {
          id
          device {
            ...DeviceAccess
          }
        }
      }
      ...Failure
    }
  }
`);

export const certificateRenewDocument = graphql(`
  mutation DeviceCertificateRenew($input: DeviceCertificateRenewInput!) {
    deviceCertificateRenew(input: $input) {
      __typename
      ... on DeviceCertificateRenewSuccess {
        certificate
        ca
        credential {
          id
          device {
            ...DeviceAccess
          }
        }
      }
      ...Failure
    }
  }
`);

export const certificateRevokeDocument = graphql(`
  mutation DeviceCertificateRevoke($input: DeviceCertificateRevokeInput!) {
    deviceCertificateRevoke(input: $input) {
      __typename
      ... on DeviceCertificateRevokeSuccess {
        credential {
          id
          revokedAt
          revocationReason
          device {
            ...DeviceAccess
          }
        }
      }
      ...Failure
    }
  }
`);

export const claimCodeCreateDocument = graphql(`
  mutation ClaimCodeCreate($input: ClaimCodeCreateInput!) {
    claimCodeCreate(input: $input) {
      __typename
      ... on ClaimCodeCreateSuccess {
        code
        claimCode {
          id
          expiresAt
          device {
            ...DeviceAccess
          }
        }
      }
      ...Failure
    }
  }
`);

export const claimCodeRevokeDocument = graphql(`
  mutation ClaimCodeRevoke($input: ClaimCodeRevokeInput!) {
    claimCodeRevoke(input: $input) {
      __typename
      ... on ClaimCodeRevokeSuccess {
        claimCode {
          id
          state
        }
      }
      ...Failure
    }
  }
`);
