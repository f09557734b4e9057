import { graphql } from '../../generated/index.ts';

export const siteListDocument = graphql(`
  query SiteList {
    sites(first: 100) {
      nodes {
        id
        key
        name
      }
    }
  }
`);
