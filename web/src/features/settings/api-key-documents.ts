import type { ApiKeyRowFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What a row shows. Codegen finds it here; documents name it.
graphql(`
  fragment ApiKeyRow on ApiKey {
    id
    name
    prefix
    role
    scopes
    createdAt
    expiresAt
    lastUsedAt
    revokedAt
    previousExpiresAt
  }
`);

export type ApiKeyRow = ApiKeyRowFragment;

export const apiKeyListDocument = graphql(`
  query ApiKeyList($first: Int!, $after: String) {
    apiKeys(first: $first, after: $after) {
      totalCount
      nodes {
        ...ApiKeyRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const apiKeyCreateDocument = graphql(`
  mutation ApiKeyCreate($input: ApiKeyCreateInput!) {
    apiKeyCreate(input: $input) {
      __typename
      ... on ApiKeyCreateSuccess {
        token
        apiKey {
          ...ApiKeyRow
        }
      }
      ...Failure
    }
  }
`);

export const apiKeyRotateDocument = graphql(`
  mutation ApiKeyRotate($input: ApiKeyRotateInput!) {
    apiKeyRotate(input: $input) {
      __typename
      ... on ApiKeyRotateSuccess {
        token
        apiKey {
          ...ApiKeyRow
        }
      }
      ...Failure
    }
  }
`);

export const apiKeyRevokeDocument = graphql(`
  mutation ApiKeyRevoke($input: ApiKeyRevokeInput!) {
    apiKeyRevoke(input: $input) {
      __typename
      ... on ApiKeyRevokeSuccess {
        apiKey {
          ...ApiKeyRow
        }
      }
      ...Failure
    }
  }
`);
