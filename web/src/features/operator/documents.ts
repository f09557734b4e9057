import type { ResultOf } from '@graphql-typed-document-node/core';
import { graphql } from '../../generated/index.ts';

export const tenantListDocument = graphql(`
  query OperatorTenants($reason: String!, $first: Int!, $after: String, $where: TenantFilter) {
    operator(reason: $reason) {
      tenants(first: $first, after: $after, where: $where) {
        totalCount
        nodes {
          slug
          name
          status
          deleteAfter
          purgeStartedAt
          deviceCount
          onlineCount
          lastReadingAt
          total {
            stored
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export type TenantRow = ResultOf<typeof tenantListDocument>['operator']['tenants']['nodes'][number];

export const deviceSearchDocument = graphql(`
  query OperatorDevices($reason: String!, $first: Int!, $after: String, $search: String!) {
    operator(reason: $reason) {
      devices(first: $first, after: $after, search: $search) {
        nodes {
          key
          name
          status
          connection
          lastSeenAt
          tenant {
            slug
            name
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export type OperatedDevice = ResultOf<typeof deviceSearchDocument>['operator']['devices']['nodes'][number];

export const streamsDocument = graphql(`
  query OperatorStreams($reason: String!) {
    operator(reason: $reason) {
      streams {
        name
        messages
        bytes
        oldestAt
        replicas
        storage
        consumers {
          name
          durable
          pending
          unacknowledged
          redelivered
        }
      }
      gateways {
        name
        sessions
        leaseExpiresAt
      }
      processes(minutes: 5) {
        process
        accepted
        stored
        duplicate
        quarantined
        deadLettered
      }
      leases {
        holder
        names
        expiresAt
      }
      durability {
        fsync
        synchronousCommit
        synchronousStandbys
      }
    }
  }
`);

export type Streams = ResultOf<typeof streamsDocument>['operator'];

export const platformAuditDocument = graphql(`
  query OperatorAudit($reason: String!, $first: Int!, $after: String) {
    operator(reason: $reason) {
      audit(first: $first, after: $after) {
        nodes {
          id
          at
          actorName
          action
          reason
          tenants
          fields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export type PlatformEntry = ResultOf<typeof platformAuditDocument>['operator']['audit']['nodes'][number];

export const tenantCreateDocument = graphql(`
  mutation TenantCreate($input: TenantCreateInput!) {
    result: tenantCreate(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export const tenantSuspendDocument = graphql(`
  mutation TenantSuspend($input: TenantSuspendInput!) {
    result: tenantSuspend(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export const tenantResumeDocument = graphql(`
  mutation TenantResume($input: TenantResumeInput!) {
    result: tenantResume(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export const tenantDeleteDocument = graphql(`
  mutation TenantDelete($input: TenantDeleteInput!) {
    result: tenantDelete(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export const tenantDeleteCancelDocument = graphql(`
  mutation TenantDeleteCancel($input: TenantDeleteCancelInput!) {
    result: tenantDeleteCancel(input: $input) {
      __typename
      ...Failure
    }
  }
`);
