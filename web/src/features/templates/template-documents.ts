import type {
  TemplateFieldsFragment,
  TemplateListQuery,
  TemplateVersionsQuery,
} from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

graphql(`
  fragment MetricFields on TemplateMetric {
    key
    name
    type
    unit
    min
    max
    precision
    required
    values
  }
`);

graphql(`
  fragment CommandFields on TemplateCommand {
    key
    name
    description
    params
    response
  }
`);

graphql(`
  fragment SlotFields on TemplateSlot {
    key
    name
    type
    interface
    maxDevices
    compatibleTemplates
    required
  }
`);

// All that a template says; what the editor edits.
graphql(`
  fragment TemplateFields on DeviceTemplate {
    id
    key
    name
    description
    category
    source
    version
    deviceCount
    moduleCount
    updatedAt
    unknownMetrics
    invalidValues
    discoverSensors
    expectedIntervalSeconds
    metrics {
      ...MetricFields
    }
    commands {
      ...CommandFields
    }
    slots {
      ...SlotFields
    }
    transports {
      protocol
      link
      settings
    }
  }
`);

export type Template = TemplateFieldsFragment;

export const templateListDocument = graphql(`
  query TemplateList($first: Int!, $after: String, $where: DeviceTemplateFilter) {
    templates(first: $first, after: $after, where: $where) {
      totalCount
      nodes {
        id
        key
        name
        description
        category
        source
        version
        deviceCount
        moduleCount
        metrics {
          key
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export type TemplateRow = TemplateListQuery['templates']['nodes'][number];

export const templateDocument = graphql(`
  query Template($key: String!) {
    template(by: { key: $key }) {
      ...TemplateFields
    }
  }
`);

export const templateJsonDocument = graphql(`
  query TemplateJson($key: String!) {
    template(by: { key: $key }) {
      id
      json
    }
  }
`);

export const templateVersionsDocument = graphql(`
  query TemplateVersions($key: String!, $first: Int!, $before: Int) {
    template(by: { key: $key }) {
      id
      versions(first: $first, before: $before) {
        version
        createdAt
        createdBy
        deviceCount
        moduleCount
      }
    }
  }
`);

export type TemplateVersionRow = NonNullable<TemplateVersionsQuery['template']>['versions'][number];

export const templateDiffDocument = graphql(`
  query TemplateDiff($key: String!, $from: Int!, $to: Int!) {
    template(by: { key: $key }) {
      id
      diff(from: $from, to: $to) {
        from
        to
        breaking
        metrics {
          key
          kind
          breaking
          before {
            ...MetricFields
          }
          after {
            ...MetricFields
          }
        }
        commands {
          key
          kind
          breaking
          before {
            ...CommandFields
          }
          after {
            ...CommandFields
          }
        }
        slots {
          key
          kind
          breaking
          before {
            ...SlotFields
          }
          after {
            ...SlotFields
          }
        }
        settings {
          setting
          before
          after
          breaking
        }
      }
    }
  }
`);

export const templateCreateDocument = graphql(`
  mutation TemplateCreate($input: TemplateCreateInput!) {
    templateCreate(input: $input) {
      __typename
      ... on TemplateCreateSuccess {
        template {
          ...TemplateFields
        }
      }
      ...Failure
    }
  }
`);

export const templateUpdateDocument = graphql(`
  mutation TemplateUpdate($input: TemplateUpdateInput!) {
    templateUpdate(input: $input) {
      __typename
      ... on TemplateUpdateSuccess {
        template {
          ...TemplateFields
        }
      }
      ...Failure
    }
  }
`);

export const templateCloneDocument = graphql(`
  mutation TemplateClone($input: TemplateCloneInput!) {
    templateClone(input: $input) {
      __typename
      ... on TemplateCloneSuccess {
        template {
          id
          key
          name
        }
      }
      ...Failure
    }
  }
`);

export const templateImportDocument = graphql(`
  mutation TemplateImport($input: TemplateImportInput!) {
    templateImport(input: $input) {
      __typename
      ... on TemplateImportSuccess {
        template {
          id
          key
          name
        }
      }
      ...Failure
    }
  }
`);

export const templateDeleteDocument = graphql(`
  mutation TemplateDelete($input: TemplateDeleteInput!) {
    templateDelete(input: $input) {
      __typename
      ...Failure
    }
  }
`);
