import type { GroupFieldsFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What the pages of groups show of one. Codegen finds it here; documents name it.
graphql(`
  fragment GroupFields on DeviceGroup {
    id
    key
    name
    description
    kind
    filter
    version
    deviceCount
  }
`);

export type Group = GroupFieldsFragment;

export const groupPageDocument = graphql(`
  query GroupPage($first: Int!, $after: String, $where: DeviceGroupFilter) {
    groups(first: $first, after: $after, where: $where) {
      totalCount
      nodes {
        ...GroupFields
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const groupDocument = graphql(`
  query Group($key: String!) {
    group(by: { key: $key }) {
      ...GroupFields
    }
  }
`);

export const groupDevicesDocument = graphql(`
  query GroupDevices($key: String!, $first: Int!, $after: String) {
    group(by: { key: $key }) {
      id
      devices(first: $first, after: $after) {
        nodes {
          ...DeviceRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

/** How many devices a filter takes, and the first of them. */
export const filterPreviewDocument = graphql(`
  query FilterPreview($where: DeviceFilter!) {
    devices(first: 5, where: $where) {
      totalCount
      nodes {
        id
        key
        name
      }
    }
  }
`);

/** What a filter can name. */
export const filterChoicesDocument = graphql(`
  query FilterChoices {
    sites(first: 100) {
      nodes {
        id
        key
        name
      }
    }
    templates(first: 100) {
      nodes {
        id
        key
        name
      }
    }
  }
`);

export const groupCreateDocument = graphql(`
  mutation GroupCreate($input: GroupCreateInput!) {
    groupCreate(input: $input) {
      __typename
      ... on GroupCreateSuccess {
        group {
          ...GroupFields
        }
      }
      ...Failure
    }
  }
`);

export const groupUpdateDocument = graphql(`
  mutation GroupUpdate($input: GroupUpdateInput!) {
    groupUpdate(input: $input) {
      __typename
      ... on GroupUpdateSuccess {
        group {
          ...GroupFields
        }
      }
      ...Failure
    }
  }
`);

export const groupDeleteDocument = graphql(`
  mutation GroupDelete($input: GroupDeleteInput!) {
    groupDelete(input: $input) {
      __typename
      ...Failure
    }
  }
`);

export const groupAddDevicesDocument = graphql(`
  mutation GroupAddDevices($input: GroupAddDevicesInput!) {
    groupAddDevices(input: $input) {
      __typename
      ... on GroupAddDevicesSuccess {
        matched
        changed
        group {
          ...GroupFields
        }
      }
      ...Failure
    }
  }
`);

export const groupRemoveDevicesDocument = graphql(`
  mutation GroupRemoveDevices($input: GroupRemoveDevicesInput!) {
    groupRemoveDevices(input: $input) {
      __typename
      ... on GroupRemoveDevicesSuccess {
        changed
        group {
          ...GroupFields
        }
      }
      ...Failure
    }
  }
`);
