import type { BulkJobQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

graphql(`
  fragment BulkFault on BulkError {
    deviceId
    message
    device {
      id
      key
    }
  }
`);

// What every mutation of many devices answers. Codegen finds it here; documents name it.
graphql(`
  fragment BulkOutcome on BulkSuccess {
    matched
    changed
    failed
    errors {
      ...BulkFault
    }
    job {
      id
    }
  }
`);

export const devicesTagDocument = graphql(`
  mutation DevicesTag($input: DevicesTagInput!) {
    outcome: devicesTag(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);

export const devicesUntagDocument = graphql(`
  mutation DevicesUntag($input: DevicesUntagInput!) {
    outcome: devicesUntag(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);

export const devicesSetSiteDocument = graphql(`
  mutation DevicesSetSite($input: DevicesSetSiteInput!) {
    outcome: devicesSetSite(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);

export const devicesSetStatusDocument = graphql(`
  mutation DevicesSetStatus($input: DevicesSetStatusInput!) {
    outcome: devicesSetStatus(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);

export const devicesAddToGroupDocument = graphql(`
  mutation DevicesAddToGroup($input: DevicesAddToGroupInput!) {
    outcome: devicesAddToGroup(input: $input) {
      __typename
      ...BulkOutcome
      ...Failure
    }
  }
`);

export const commandSendManyDocument = graphql(`
  mutation CommandSendMany($input: CommandSendManyInput!) {
    outcome: commandSendMany(input: $input) {
      __typename
      ...BulkOutcome
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
        ...BulkFault
      }
    }
  }
`);

export const jobCancelDocument = graphql(`
  mutation JobCancel($input: JobCancelInput!) {
    jobCancel(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export type BulkJob = NonNullable<BulkJobQuery['job']>;
export type BulkError = BulkJob['errors'][number];
