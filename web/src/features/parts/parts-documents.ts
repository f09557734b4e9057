import type { DevicePartsFragment, TemplateChoicesQuery } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

// What a device is made of. Codegen finds it here; documents name it.
graphql(`
  fragment DeviceParts on Device {
    id
    key
    name
    version
    metricMap {
      raw
      metric
      scale
      offset
    }
    parent {
      id
      key
      name
    }
    childCount
    template {
      id
      key
      name
    }
    slots {
      key
      name
      interface
      maxDevices
      compatibleTemplates
      required
    }
    modules {
      id
      slot
      name
      serialNumber
      busAddress
      installedAt
      metricMap {
        raw
        metric
        scale
        offset
      }
    }
    sensors(includeInactive: true) {
      id
      metric
      templateMetric
      name
      type
      unit
      min
      max
      source
      active
      isModelled
      module {
        id
        name
      }
    }
    transports {
      id
      protocol
      link
      isPrimary
      settings
    }
  }
`);

export type DeviceParts = DevicePartsFragment;
export type Sensor = DeviceParts['sensors'][number];
export type Transport = DeviceParts['transports'][number];
export type Module = DeviceParts['modules'][number];
export type Slot = DeviceParts['slots'][number];

export const devicePartsDocument = graphql(`
  query DeviceParts($key: String!) {
    device(by: { key: $key }) {
      ...DeviceParts
    }
  }
`);

export const deviceChildrenDocument = graphql(`
  query DeviceChildren($key: String!, $first: Int!, $after: String) {
    device(by: { key: $key }) {
      id
      children(first: $first, after: $after) {
        nodes {
          id
          key
          name
          status
          presence {
            connection
            freshness
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

/** Changes the parent or the metric map. */
export const partsUpdateDocument = graphql(`
  mutation PartsUpdate($input: DeviceUpdateInput!) {
    deviceUpdate(input: $input) {
      __typename
      ... on DeviceUpdateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const sensorCreateDocument = graphql(`
  mutation SensorCreate($input: SensorCreateInput!) {
    sensorCreate(input: $input) {
      __typename
      ... on SensorCreateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const sensorUpdateDocument = graphql(`
  mutation SensorUpdate($input: SensorUpdateInput!) {
    sensorUpdate(input: $input) {
      __typename
      ... on SensorUpdateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const sensorDeleteDocument = graphql(`
  mutation SensorDelete($input: SensorDeleteInput!) {
    sensorDelete(input: $input) {
      __typename
      ... on SensorDeleteSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const transportCreateDocument = graphql(`
  mutation TransportCreate($input: TransportCreateInput!) {
    transportCreate(input: $input) {
      __typename
      ... on TransportCreateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const transportUpdateDocument = graphql(`
  mutation TransportUpdate($input: TransportUpdateInput!) {
    transportUpdate(input: $input) {
      __typename
      ... on TransportUpdateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const transportDeleteDocument = graphql(`
  mutation TransportDelete($input: TransportDeleteInput!) {
    transportDelete(input: $input) {
      __typename
      ... on TransportDeleteSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

/** The first hundred templates, for whoever chooses one. */
export const templateChoicesDocument = graphql(`
  query TemplateChoices {
    templates(first: 100) {
      nodes {
        id
        key
        name
        category
        metrics {
          key
          name
          required
        }
      }
    }
  }
`);

export type TemplateChoice = TemplateChoicesQuery['templates']['nodes'][number];

export const moduleInstallDocument = graphql(`
  mutation ModuleInstall($input: ModuleInstallInput!) {
    moduleInstall(input: $input) {
      __typename
      ... on ModuleInstallSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const moduleUpdateDocument = graphql(`
  mutation ModuleUpdate($input: ModuleUpdateInput!) {
    moduleUpdate(input: $input) {
      __typename
      ... on ModuleUpdateSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);

export const moduleRemoveDocument = graphql(`
  mutation ModuleRemove($input: ModuleRemoveInput!) {
    moduleRemove(input: $input) {
      __typename
      ... on ModuleRemoveSuccess {
        device {
          ...DeviceParts
        }
      }
      ...Failure
    }
  }
`);
