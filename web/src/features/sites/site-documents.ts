import type { SitePageQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What the page of sites shows of one.
graphql(`
  fragment SiteFields on Site {
    id
    key
    name
    address
    timezone
    location {
      latitude
      longitude
    }
    version
  }
`);

export const sitePageDocument = graphql(`
  query SitePage($first: Int!, $after: String, $where: SiteFilter) {
    sites(first: $first, after: $after, where: $where) {
      totalCount
      nodes {
        ...SiteFields
        rollup {
          devices
          online
          offline
          fresh
          stale
          silent
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export type SiteRow = SitePageQuery['sites']['nodes'][number];

export const siteCreateDocument = graphql(`
  mutation SiteCreate($input: SiteCreateInput!) {
    siteCreate(input: $input) {
      __typename
      ... on SiteCreateSuccess {
        site {
          ...SiteFields
        }
      }
      ...Failure
    }
  }
`);

export const siteUpdateDocument = graphql(`
  mutation SiteUpdate($input: SiteUpdateInput!) {
    siteUpdate(input: $input) {
      __typename
      ... on SiteUpdateSuccess {
        site {
          ...SiteFields
        }
      }
      ...Failure
    }
  }
`);

export const siteDeleteDocument = graphql(`
  mutation SiteDelete($input: SiteDeleteInput!) {
    siteDelete(input: $input) {
      __typename
      ...Failure
    }
  }
`);
