import { graphql } from '../../generated/index.ts';

// What a row of the quarantine and its details show. Codegen finds it here; documents name it.
graphql(`
  fragment QuarantineRow on QuarantinedMessage {
    id
    status
    reason
    detail
    field
    deviceKey
    kind
    source
    receivedAt
    receipt
    part
    payload {
      text
      base64
      bytes
    }
    replay {
      outcome
      reason
      readingId
      message {
        id
      }
    }
  }
`);

export const quarantineListDocument = graphql(`
  query QuarantineList($first: Int!, $after: String, $where: QuarantineFilter) {
    quarantine(first: $first, after: $after, where: $where) {
      nodes {
        ...QuarantineRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const reasonsDocument = graphql(`
  query QuarantineReasons($from: DateTime!, $to: DateTime!, $where: QuarantineFilter) {
    quarantineReasons(from: $from, to: $to, where: $where) {
      reason
      total
      points {
        at
        count
      }
    }
  }
`);

export const replayDocument = graphql(`
  mutation QuarantineReplay($input: QuarantineReplayInput!) {
    quarantineReplay(input: $input) {
      __typename
      ... on QuarantineReplaySuccess {
        matched
        job {
          id
        }
        forecasts {
          outcome
          reason
          detail
          field
          payload {
            text
          }
        }
      }
      ...Failure
    }
  }
`);

export const discardDocument = graphql(`
  mutation QuarantineDiscard($input: QuarantineDiscardInput!) {
    quarantineDiscard(input: $input) {
      __typename
      ... on QuarantineDiscardSuccess {
        matched
        job {
          id
        }
      }
      ...Failure
    }
  }
`);

export const jobDocument = graphql(`
  query QuarantineJobProgress($id: ID!) {
    node(id: $id) {
      ... on QuarantineJob {
        id
        action
        total
        handled
        skipped
        finishedAt
        outcomes {
          stored
          duplicate
          quarantined
          accepted
          deadLettered
          waiting
        }
      }
    }
  }
`);

export const messageDocument = graphql(`
  query MessageTrace($id: String!, $device: String) {
    message(id: $id, device: $device) {
      receipt
      deviceKey
      kind
      source
      receivedAt
      framedAt
      origin
      stream
      sequence
      streamedAt
      worker
      storedAt
      publishedAt
      payload {
        text
        base64
      }
      parts {
        part
        state
        reading {
          id
          at
          messageId
          metrics
        }
        quarantined {
          id
          reason
          detail
          status
        }
        deadLetter {
          reason
        }
      }
    }
  }
`);

export const conservationDocument = graphql(`
  query Conservation {
    viewer {
      id
      tenant {
        id
        conservation {
          accepted
          stored
          duplicate
          quarantined
          deadLettered
          inFlight
          complete
          difference
          days(last: 14) {
            day
            accepted
            stored
            duplicate
            quarantined
            deadLettered
          }
        }
      }
    }
    deadLetters(first: 20) {
      nodes {
        id
        receipt
        deviceKey
        reason
        at
      }
    }
  }
`);
