import type { DeviceMapQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

export const deviceMapDocument = graphql(`
  query DeviceMap($where: DeviceFilter) {
    deviceMap(where: $where) {
      truncated
      unplacedCount
      pins {
        key
        name
        location {
          latitude
          longitude
        }
        connection
        freshness
      }
    }
  }
`);

export type Pin = DeviceMapQuery['deviceMap']['pins'][number];
