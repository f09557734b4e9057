import { describedEnum } from '#api/graphql/described-enum.ts';
import type {
  Enforcement,
  MetricType,
  SlotInterface,
  SlotType,
  TemplateCategory,
  TransportLink,
  TransportProtocol,
} from '#core/fleet/templates.ts';

export const templateCategoryEnum = describedEnum<TemplateCategory>(
  'TemplateCategory',
  'What kind of thing a template describes.',
  {
    GATEWAY: 'Speaks for others that have no network of their own.',
    EDGE_DEVICE: 'Speaks for itself.',
    SENSOR: 'Measures, by itself or in a slot of another device.',
    CONTROLLER: 'Acts on what it is told.',
    EXPANSION_MODULE: 'Sits in a slot of another device.',
  },
);

export const templateSourceEnum = describedEnum('TemplateSource', 'Whose a template is.', {
  SYSTEM: 'It comes with the platform: every tenant sees it, none changes it.',
  TENANT: 'The tenant’s own.',
});

export const templateSourceFilterEnum = describedEnum(
  'TemplateSourceFilter',
  'Whose templates are asked for.',
  {
    SYSTEM: 'Those that come with the platform.',
    OWN: 'Those of the tenant.',
  },
);

export const metricTypeEnum = describedEnum<MetricType>('MetricType', 'What kind of value a metric has.', {
  FLOAT: 'A number.',
  INTEGER: 'A whole number.',
  BOOLEAN: 'True or false.',
  STRING: 'Text.',
  ENUM: 'One of the texts that the metric names.',
});

export const enforcementEnum = describedEnum<Enforcement>(
  'Enforcement',
  'What becomes of a value that the template does not foresee.',
  {
    ACCEPT: 'It is stored like any other.',
    FLAG: 'It is stored and marked.',
    QUARANTINE: 'Its reading goes to quarantine, from where it can be replayed.',
  },
);

export const transportProtocolEnum = describedEnum<TransportProtocol>(
  'TransportProtocol',
  'What a device speaks.',
  {
    MQTT: 'MQTT 3.1.1 or 5, with the platform itself.',
    HTTP: 'HTTP, with the platform itself.',
    LORAWAN: 'LoRaWAN, through a network server.',
    GATEWAY: 'Whatever its gateway understands, which speaks for it.',
    MODBUS: 'Modbus, with a gateway that asks it.',
  },
);

export const transportLinkEnum = describedEnum<TransportLink>(
  'TransportLink',
  'The physical link below a protocol.',
  {
    ETHERNET: 'A cable.',
    WIFI: 'Wireless LAN.',
    CELLULAR: 'A mobile network.',
    LORA: 'LoRa radio.',
    BLUETOOTH: 'Bluetooth, classic or low energy.',
    RS485: 'A two-wire serial bus.',
    SATELLITE: 'A satellite.',
    OTHER: 'Anything else.',
  },
);

export const slotTypeEnum = describedEnum<SlotType>('SlotType', 'The shape of a slot.', {
  EXPANSION_PORT: 'For a module that brings something new.',
  SENSOR_PORT: 'For a probe.',
  BUS: 'For several modules that share it, each with an address.',
  INTERNAL: 'Inside the housing.',
});

export const slotInterfaceEnum = describedEnum<SlotInterface>(
  'SlotInterface',
  'What is spoken through a slot.',
  {
    ANALOG: 'A voltage or a current.',
    DIGITAL: 'Levels or pulses.',
    I2C: 'I²C.',
    SPI: 'SPI.',
    UART: 'A serial line.',
    USB: 'USB.',
    ONE_WIRE: '1-Wire.',
    RS485: 'A serial bus without a protocol of its own.',
    MODBUS_RTU: 'Modbus RTU over RS-485.',
    CAN: 'CAN.',
    BLUETOOTH: 'Bluetooth, classic or low energy.',
    LORA: 'LoRa radio.',
  },
);
