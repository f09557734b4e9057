import type { CertificateRowFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What a row shows. Codegen finds it here; documents name it.
graphql(`
  fragment CertificateRow on DeviceCredential {
    id
    hint
    serialNumber
    expiresAt
    retiresAt
    revokedAt
    revocationReason
    authorityGeneration
    lastUsedAt
    device {
      id
      key
      name
    }
  }
`);

// The authorities, as the page shows them.
graphql(`
  fragment TenantCaDetail on TenantCa {
    rootCertificate
    generations {
      generation
      isCurrent
      certificate
      fingerprint
      createdAt
      expiresAt
      retiresAt
      liveCertificates
      crlUrl
    }
  }
`);

export type CertificateRow = CertificateRowFragment;

export const tenantCaDocument = graphql(`
  query TenantCa {
    tenantCa {
      ...TenantCaDetail
    }
  }
`);

export const certificateListDocument = graphql(`
  query CertificateList($state: CertificateState!, $first: Int!, $after: String) {
    certificates(state: $state, first: $first, after: $after) {
      totalCount
      nodes {
        ...CertificateRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const tenantCaRotateDocument = graphql(`
  mutation TenantCaRotate($input: TenantCaRotateInput!) {
    tenantCaRotate(input: $input) {
      __typename
      ... on TenantCaRotateSuccess {
        tenantCa {
          ...TenantCaDetail
        }
      }
      ...Failure
    }
  }
`);
