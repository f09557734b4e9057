import { graphql } from '../generated/index.ts';

/** Readings as they are committed; a snapshot of the newest values comes first. */
export const telemetryDocument = graphql(`
  subscription Telemetry($where: TelemetryFilter, $after: Cursor, $maxHz: Float) {
    telemetry(where: $where, after: $after, maxHz: $maxHz) {
      __typename
      ... on TelemetrySnapshot {
        cursor
        devices {
          device {
            id
          }
          values {
            metric
            value
            at
            receivedAt
          }
        }
      }
      ... on TelemetryReading {
        cursor
        device {
          id
        }
        at
        receivedAt
        messageId
        metrics
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

/** Changes of presence; the state of every asked device comes first. */
export const presenceDocument = graphql(`
  subscription Presence($where: PresenceFilter, $after: Cursor) {
    presence(where: $where, after: $after) {
      __typename
      ... on PresenceSnapshot {
        cursor
        devices {
          id
          presence {
            connection
            freshness
            credential
            lastSeenAt
            connectionChangedAt
            missingMetrics
          }
        }
      }
      ... on PresenceChange {
        cursor
        device {
          id
        }
        presence {
          connection
          freshness
          credential
          lastSeenAt
          connectionChangedAt
          missingMetrics
        }
        at
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
