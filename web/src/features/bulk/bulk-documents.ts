import type { BulkJobQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

export const devicesTagDocument = graphql(`
  mutation DevicesTag($input: DevicesTagInput!) {
    outcome: devicesTag(input: $input) {
      __typename
      ... on DevicesTagSuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const devicesUntagDocument = graphql(`
  mutation DevicesUntag($input: DevicesUntagInput!) {
    outcome: devicesUntag(input: $input) {
      __typename
      ... on DevicesUntagSuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const devicesSetSiteDocument = graphql(`
  mutation DevicesSetSite($input: DevicesSetSiteInput!) {
    outcome: devicesSetSite(input: $input) {
      __typename
      ... on DevicesSetSiteSuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const devicesSetStatusDocument = graphql(`
  mutation DevicesSetStatus($input: DevicesSetStatusInput!) {
    outcome: devicesSetStatus(input: $input) {
      __typename
      ... on DevicesSetStatusSuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const devicesAddToGroupDocument = graphql(`
  mutation DevicesAddToGroup($input: DevicesAddToGroupInput!) {
    outcome: devicesAddToGroup(input: $input) {
      __typename
      ... on DevicesAddToGroupSuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const commandSendManyDocument = graphql(`
  mutation CommandSendMany($input: CommandSendManyInput!) {
    outcome: commandSendMany(input: $input) {
      __typename
      ... on CommandSendManySuccess {
        matched
        changed
        failed
        errors {
          deviceId
          message
          device {
            id
            key
          }
        }
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const bulkChoicesDocument = graphql(`
  query BulkChoices {
    sites(first: 100) {
      nodes {
        id
        key
        name
      }
    }
    groups(first: 100, where: { kinds: [STATIC] }) {
      nodes {
        id
        key
        name
      }
    }
  }
`);

export const bulkJobDocument = graphql(`
  query BulkJob($id: ID!) {
    job(id: $id) {
      id
      status
      total
      done
      changed
      failed
      finishedAt
      commandCounts {
        status
        count
      }
      errors {
        deviceId
        message
        device {
          id
          key
        }
      }
    }
  }
`);

export type BulkJob = NonNullable<BulkJobQuery['job']>;
export type BulkError = BulkJob['errors'][number];
