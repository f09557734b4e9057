import type {
  MetricType,
  SensorSource,
  SlotInterface,
  TransportLink,
  TransportProtocol,
} from '../../generated/graphql.ts';

export const metricTypeNames: Record<MetricType, string> = {
  FLOAT: 'Number',
  INTEGER: 'Whole number',
  BOOLEAN: 'On or off',
  STRING: 'Text',
  ENUM: 'One of some texts',
};

export const sensorSourceNames: Record<SensorSource, string> = {
  TEMPLATE: 'Template',
  MODULE: 'Module',
  DISCOVERED: 'Found in the data',
  MANUAL: 'Added by hand',
};

export const protocolNames: Record<TransportProtocol, string> = {
  MQTT: 'MQTT',
  HTTP: 'HTTP',
  LORAWAN: 'LoRaWAN',
  GATEWAY: 'Through its gateway',
  MODBUS: 'Modbus',
};

export const linkNames: Record<TransportLink, string> = {
  ETHERNET: 'Ethernet',
  WIFI: 'Wi-Fi',
  CELLULAR: 'Cellular',
  LORA: 'LoRa',
  BLUETOOTH: 'Bluetooth',
  RS485: 'RS-485',
  SATELLITE: 'Satellite',
  OTHER: 'Other',
};

export const interfaceNames: Record<SlotInterface, string> = {
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
