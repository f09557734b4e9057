import type { ShadowFieldsFragment, ShadowHistoryQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// Both sides of a shadow. Codegen finds it here; documents name it.
graphql(`
  fragment ShadowFields on DeviceShadow {
    desired
    desiredVersion
    desiredAt
    reported
    reportedVersion
    reportedAt
    answeredVersion
    delta
    status
  }
`);

export type Shadow = ShadowFieldsFragment;

export const shadowDocument = graphql(`
  query Shadow($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        shadow {
          ...ShadowFields
        }
      }
    }
  }
`);

export const shadowAtDocument = graphql(`
  query ShadowAt($id: ID!, $at: DateTime!) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        shadowAt(at: $at) {
          ...ShadowFields
        }
      }
    }
  }
`);

export const shadowHistoryDocument = graphql(`
  query ShadowHistory($id: ID!, $first: Int!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        shadowHistory(first: $first, after: $after) {
          nodes {
            side
            version
            document
            answers
            actorName
            at
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

type HistoryNode = NonNullable<ShadowHistoryQuery['node']>;
export type ShadowVersion = Extract<HistoryNode, { __typename: 'Device' }>['shadowHistory']['nodes'][number];

export const shadowUpdateDocument = graphql(`
  mutation ShadowUpdate($input: ShadowUpdateInput!) {
    shadowUpdate(input: $input) {
      __typename
      ... on ShadowUpdateSuccess {
        device {
          id
          shadow {
            ...ShadowFields
          }
        }
      }
      ...Failure
    }
  }
`);

/** Shadows as they change. Every event brings the whole shadow, which finds its place in the cache by itself. */
export const shadowsDocument = graphql(`
  subscription Shadows($where: ShadowFilter, $after: Cursor) {
    shadows(where: $where, after: $after) {
      __typename
      ... on ShadowSnapshot {
        cursor
        devices {
          id
          shadow {
            ...ShadowFields
          }
        }
      }
      ... on ShadowChange {
        cursor
        device {
          id
          shadow {
            ...ShadowFields
          }
        }
      }
      ... on StreamGap {
        cursor
        from
        to
        reason
        missed
      }
    }
  }
`);
