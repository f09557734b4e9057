import type { DeviceAuditQuery, DeviceTimelineQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

/** Everything that happened to a device, each kind with its newest first. */
export const deviceTimelineDocument = graphql(`
  query DeviceTimeline($id: ID!, $from: DateTime!, $to: DateTime!, $first: Int!) {
    node(id: $id) {
      __typename
      id
      ... on Device {
        availability(from: $from, to: $to) {
          changeCount
          changes(first: $first) {
            at
            connection
            freshness
            credential
          }
        }
        shadowHistory(first: $first) {
          nodes {
            side
            version
            answers
            actorName
            at
          }
          pageInfo {
            hasNextPage
          }
        }
        commands(first: $first) {
          nodes {
            id
            type
            actorName
            createdAt
            transitions {
              happening
              moved
              at
            }
          }
          pageInfo {
            hasNextPage
          }
        }
        sequence {
          gaps(first: 10) {
            from
            to
            missing
            firstSeenAt
            healedAt
          }
        }
        removedModules(first: 25) {
          id
          name
          slot
          installedAt
          removedAt
        }
        modules {
          id
          name
          slot
          installedAt
        }
      }
    }
  }
`);

/** What people did to it; only those who may read the log ask. */
export const deviceAuditDocument = graphql(`
  query DeviceAudit($where: AuditFilter!, $first: Int!) {
    auditEntries(first: $first, where: $where) {
      nodes {
        id
        at
        action
        actor {
          name
        }
        target {
          label
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

export type TimelineDevice = Extract<NonNullable<DeviceTimelineQuery['node']>, { __typename: 'Device' }>;
export type TimelineAudit = DeviceAuditQuery['auditEntries'];
