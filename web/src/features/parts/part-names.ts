import type { SensorSource } from '../../generated/graphql.ts';

export const sensorSourceNames: Readonly<Record<SensorSource, string>> = {
  TEMPLATE: 'Template',
  MODULE: 'Module',
  DISCOVERED: 'Found in the data',
  MANUAL: 'Added by hand',
};
