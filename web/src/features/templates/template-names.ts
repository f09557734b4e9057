import type {
  Enforcement,
  MetricType,
  SlotInterface,
  SlotType,
  TemplateCategory,
  TransportLink,
  TransportProtocol,
} from '../../generated/graphql.ts';

/** What the API's words are called on the page. */
export const categoryNames: Readonly<Record<TemplateCategory, string>> = {
  GATEWAY: 'Gateway',
  EDGE_DEVICE: 'Edge device',
  SENSOR: 'Sensor',
  CONTROLLER: 'Controller',
  EXPANSION_MODULE: 'Expansion module',
};

export const metricTypeNames: Readonly<Record<MetricType, string>> = {
  FLOAT: 'Number',
  INTEGER: 'Whole number',
  BOOLEAN: 'On or off',
  STRING: 'Text',
  ENUM: 'One of',
};

export const enforcementNames: Readonly<Record<Enforcement, string>> = {
  ACCEPT: 'Accept',
  FLAG: 'Accept and mark',
  QUARANTINE: 'Quarantine',
};

export const slotTypeNames: Readonly<Record<SlotType, string>> = {
  EXPANSION_PORT: 'Expansion port',
  SENSOR_PORT: 'Sensor port',
  BUS: 'Bus',
  INTERNAL: 'Internal',
};

export const interfaceNames: Readonly<Record<SlotInterface, string>> = {
  ANALOG: 'Analog',
  DIGITAL: 'Digital',
  I2C: 'I²C',
  SPI: 'SPI',
  UART: 'UART',
  USB: 'USB',
  ONE_WIRE: '1-Wire',
  RS485: 'RS-485',
  MODBUS_RTU: 'Modbus RTU',
  CAN: 'CAN',
  BLUETOOTH: 'Bluetooth',
  LORA: 'LoRa',
};

export const protocolNames: Readonly<Record<TransportProtocol, string>> = {
  MQTT: 'MQTT',
  HTTP: 'HTTP',
  LORAWAN: 'LoRaWAN',
  GATEWAY: 'Through a gateway',
  MODBUS: 'Modbus',
};

export const linkNames: Readonly<Record<TransportLink, string>> = {
  ETHERNET: 'Ethernet',
  WIFI: 'Wi-Fi',
  CELLULAR: 'Cellular',
  LORA: 'LoRa',
  BLUETOOTH: 'Bluetooth',
  RS485: 'RS-485',
  SATELLITE: 'Satellite',
  OTHER: 'Other',
};

/** The console's address of a template. */
export const templatePath = (key: string, tab?: 'versions' | 'migration' | 'edit'): string =>
  `/templates/${encodeURIComponent(key)}${tab ? `/${tab}` : ''}`;

/** `1 device`, `3 devices`. */
export const counted = (count: number, one: string): string =>
  `${count.toLocaleString()} ${one}${count === 1 ? '' : 's'}`;

/** What is made of a template or a version of it: `3 devices, 1 module`. */
export function usesText({ deviceCount, moduleCount }: { deviceCount: number; moduleCount: number }): string {
  const devices = counted(deviceCount, 'device');
  return moduleCount === 0 ? devices : `${devices}, ${counted(moduleCount, 'module')}`;
}
