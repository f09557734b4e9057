import { builder } from '#api/graphql/builder.ts';
import type {
  Enforcement,
  MetricType,
  SlotInterface,
  SlotType,
  TemplateCategory,
  TransportLink,
  TransportProtocol,
} from '#core/fleet/templates.ts';

/** Each value with what it means. */
const described = <Name extends string>(values: Readonly<Record<Name, string>>) => {
  const entries = Object.entries<string>(values);
  return Object.fromEntries(entries.map(([name, description]) => [name, { description }])) as {
    [Key in Name]: { description: string };
  };
};

export const templateCategoryEnum = builder.enumType('TemplateCategory', {
  description: 'What kind of thing a template describes.',
  values: described<TemplateCategory>({
    GATEWAY: 'Speaks for others that have no network of their own.',
    EDGE_DEVICE: 'Speaks for itself.',
    SENSOR: 'Measures, by itself or in a slot of another device.',
    CONTROLLER: 'Acts on what it is told.',
    EXPANSION_MODULE: 'Sits in a slot of another device.',
  }),
});

export const templateSourceEnum = builder.enumType('TemplateSource', {
  description: 'Whose a template is.',
  values: {
    SYSTEM: { description: 'It comes with the platform: every tenant sees it, none changes it.' },
    TENANT: { description: 'The tenant’s own.' },
  },
});

export const templateSourceFilterEnum = builder.enumType('TemplateSourceFilter', {
  description: 'Whose templates are asked for.',
  values: {
    SYSTEM: { description: 'Those that come with the platform.' },
    OWN: { description: 'Those of the tenant.' },
  },
});

export const metricTypeEnum = builder.enumType('MetricType', {
  description: 'What kind of value a metric has.',
  values: described<MetricType>({
    FLOAT: 'A number.',
    INTEGER: 'A whole number.',
    BOOLEAN: 'True or false.',
    STRING: 'Text.',
    ENUM: 'One of the texts that the metric names.',
  }),
});

export const enforcementEnum = builder.enumType('Enforcement', {
  description: 'What becomes of a value that the template does not foresee.',
  values: described<Enforcement>({
    ACCEPT: 'It is stored like any other.',
    FLAG: 'It is stored and marked.',
    QUARANTINE: 'Its reading goes to quarantine, from where it can be replayed.',
  }),
});

export const transportProtocolEnum = builder.enumType('TransportProtocol', {
  description: 'What a device speaks.',
  values: described<TransportProtocol>({
    MQTT: 'MQTT 3.1.1 or 5, with the platform itself.',
    HTTP: 'HTTP, with the platform itself.',
    LORAWAN: 'LoRaWAN, through a network server.',
    GATEWAY: 'Whatever its gateway understands, which speaks for it.',
    MODBUS: 'Modbus, with a gateway that asks it.',
  }),
});

export const transportLinkEnum = builder.enumType('TransportLink', {
  description: 'The physical link below a protocol.',
  values: described<TransportLink>({
    ETHERNET: 'A cable.',
    WIFI: 'Wireless LAN.',
    CELLULAR: 'A mobile network.',
    LORA: 'LoRa radio.',
    BLUETOOTH: 'Bluetooth, classic or low energy.',
    RS485: 'A two-wire serial bus.',
    SATELLITE: 'A satellite.',
    OTHER: 'Anything else.',
  }),
});

export const slotTypeEnum = builder.enumType('SlotType', {
  description: 'The shape of a slot.',
  values: described<SlotType>({
    EXPANSION_PORT: 'For a module that brings something new.',
    SENSOR_PORT: 'For a probe.',
    BUS: 'For several modules that share it, each with an address.',
    INTERNAL: 'Inside the housing.',
  }),
});

export const slotInterfaceEnum = builder.enumType('SlotInterface', {
  description: 'What is spoken through a slot.',
  values: described<SlotInterface>({
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
  }),
});
