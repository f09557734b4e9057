/** What a device template is made of. The same shape is kept in `template_versions.definition`. */

export const TEMPLATE_CATEGORIES = [
  'GATEWAY',
  'EDGE_DEVICE',
  'SENSOR',
  'CONTROLLER',
  'EXPANSION_MODULE',
] as const;
export type TemplateCategory = (typeof TEMPLATE_CATEGORIES)[number];

export const METRIC_TYPES = ['FLOAT', 'INTEGER', 'BOOLEAN', 'STRING', 'ENUM'] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** What becomes of a value that the template does not foresee: taken, taken and marked, or its reading goes to quarantine. */
export const ENFORCEMENTS = ['ACCEPT', 'FLAG', 'QUARANTINE'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

export const TRANSPORT_PROTOCOLS = ['MQTT', 'HTTP', 'LORAWAN', 'GATEWAY', 'MODBUS'] as const;
export type TransportProtocol = (typeof TRANSPORT_PROTOCOLS)[number];

/** The physical link below a protocol. */
export const TRANSPORT_LINKS = [
  'ETHERNET',
  'WIFI',
  'CELLULAR',
  'LORA',
  'BLUETOOTH',
  'RS485',
  'SATELLITE',
  'OTHER',
] as const;
export type TransportLink = (typeof TRANSPORT_LINKS)[number];

/** The shape of a slot and what is spoken through it. */
export const SLOT_TYPES = ['EXPANSION_PORT', 'SENSOR_PORT', 'BUS', 'INTERNAL'] as const;
export type SlotType = (typeof SLOT_TYPES)[number];
export const SLOT_INTERFACES = [
  'ANALOG',
  'DIGITAL',
  'I2C',
  'SPI',
  'UART',
  'USB',
  'ONE_WIRE',
  'RS485',
  'MODBUS_RTU',
  'CAN',
  'BLUETOOTH',
  'LORA',
] as const;
export type SlotInterface = (typeof SLOT_INTERFACES)[number];

/** A JSON Schema (draft 2020-12); always an object schema. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface TemplateMetric {
  /** As in readings: `[A-Za-z_][A-Za-z0-9_.-]{0,127}`. */
  readonly key: string;
  readonly name: string;
  readonly type: MetricType;
  /** UCUM where there is a code (`V`, `A`, `Cel`, `%`). */
  readonly unit: string | null;
  /** The least and the greatest number that can be true, both included. Numbers only. */
  readonly min: number | null;
  readonly max: number | null;
  /** Digits after the point that are shown. FLOAT only. */
  readonly precision: number | null;
  /** Whether a device is not well without it. */
  readonly required: boolean;
  /** The values an ENUM takes; empty for any other type. */
  readonly values: readonly string[];
}

export interface TemplateCommand {
  /** The `type` in the message to the device: `[a-z][a-z0-9_.-]{0,63}`. */
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** Null: takes no parameters. */
  readonly params: JsonSchema | null;
  /** Of `details` in an answer that says `ok`. Null: anything. */
  readonly response: JsonSchema | null;
}

export interface TemplateSlot {
  readonly key: string;
  readonly name: string;
  readonly type: SlotType;
  readonly interface: SlotInterface;
  /** How many modules it takes at once. */
  readonly maxDevices: number;
  /** Keys of the templates whose modules fit; empty: any EXPANSION_MODULE or SENSOR. */
  readonly compatibleTemplates: readonly string[];
  readonly required: boolean;
}

export interface TemplateTransport {
  readonly protocol: TransportProtocol;
  readonly link: TransportLink | null;
  readonly settings: { readonly [key: string]: unknown };
}

export interface TemplateDefinition {
  readonly metrics: readonly TemplateMetric[];
  readonly commands: readonly TemplateCommand[];
  readonly slots: readonly TemplateSlot[];
  /** The first is a new device's primary one. */
  readonly transports: readonly TemplateTransport[];
  /** For metrics the template does not name. */
  readonly unknownMetrics: Enforcement;
  /** For values of the wrong type, out of range, or not among an ENUM's. */
  readonly invalidValues: Enforcement;
  /** Whether a metric that nobody modelled becomes a sensor by itself. */
  readonly discoverSensors: boolean;
  /** Seconds between two messages; null: the platform's default of 60. */
  readonly expectedIntervalSeconds: number | null;
}

/** Who brought a sensor of a device: its template, a module in it, the data, or somebody. */
export type SensorSource = 'TEMPLATE' | 'MODULE' | 'DISCOVERED' | 'MANUAL';

/** Renames a metric of a device on its way in: `stored = raw × scale + offset`. */
export interface MetricMapping {
  /** What the device or module calls it. */
  readonly raw: string;
  /** What it is stored as. */
  readonly metric: string;
  readonly scale: number;
  readonly offset: number;
}

export const TEMPLATE_LIMITS = {
  metrics: 200,
  commands: 64,
  slots: 64,
  transports: 8,
  enumValues: 64,
  schemaBytes: 16_384,
  definitionBytes: 262_144,
  mappings: 200,
} as const;
