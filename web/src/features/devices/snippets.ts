/** What a snippet needs to know to connect as one device. */
export type SnippetInput = {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly mqttUrl: string;
  /** Where the platform answers HTTP, without a path. */
  readonly httpUrl: string;
  readonly tenant: string;
  readonly deviceKey: string;
  readonly username: string;
  readonly secret: string;
  /** The reading to send. */
  readonly reading: Readonly<Record<string, number | string | boolean>>;
};

export type Snippet = { readonly id: string; readonly title: string; readonly code: string };

type Broker = { readonly host: string; readonly port: number; readonly tls: boolean };

/** Host and port of a broker. Throws when `mqttUrl` is not a URL. */
export function parseBroker(mqttUrl: string): Broker {
  const url = new URL(mqttUrl);
  const tls = url.protocol === 'mqtts:' || url.protocol === 'ssl:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? (tls ? 8883 : 1883) : Number(url.port), tls };
}

/** One word of a POSIX shell, whatever it contains. */
export function quoteShell(text: string): string {
  return /^[A-Za-z0-9_.:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As JSON and JavaScript write it on one line; Python names its truths otherwise. */
function objectText(reading: SnippetInput['reading'], language: 'json' | 'python' = 'json'): string {
  const valueText = (value: number | string | boolean) =>
    typeof value === 'boolean' && language === 'python' ? (value ? 'True' : 'False') : JSON.stringify(value);
  return `{${Object.entries(reading)
    .map(([metric, value]) => `${JSON.stringify(metric)}: ${valueText(value)}`)
    .join(', ')}}`;
}

function mosquitto(input: SnippetInput, { host, port, tls }: Broker, topic: string): string {
  const lines = [
    `mosquitto_pub -h ${quoteShell(host)} -p ${port} -q 1${tls ? ' --tls-use-os-certs' : ''}`,
    `-u ${quoteShell(input.username)}`,
    `-P ${quoteShell(input.secret)}`,
    `-t ${quoteShell(topic)}`,
    `-m ${quoteShell(objectText(input.reading))}`,
  ];
  return lines.join(' \\\n  ');
}

function python(input: SnippetInput, { host, port, tls }: Broker, topic: string): string {
  return `# pip install paho-mqtt
import json
import paho.mqtt.publish as publish

publish.single(
    ${JSON.stringify(topic)},
    json.dumps(${objectText(input.reading, 'python')}),
    qos=1,
    hostname=${JSON.stringify(host)},
    port=${port},
    auth={
        "username": ${JSON.stringify(input.username)},
        "password": ${JSON.stringify(input.secret)},
    },${tls ? '\n    tls={},' : ''}
)`;
}

function node(input: SnippetInput, topic: string): string {
  return `// npm install mqtt
import mqtt from 'mqtt';

const client = await mqtt.connectAsync(${JSON.stringify(input.mqttUrl)}, {
  username: ${JSON.stringify(input.username)},
  password: ${JSON.stringify(input.secret)},
});
await client.publishAsync(
  ${JSON.stringify(topic)},
  JSON.stringify(${objectText(input.reading)}),
  { qos: 1 },
);
await client.endAsync();`;
}

function curl(input: SnippetInput): string {
  const path = `ingest/v1/tenant/${input.tenant}/device/${encodeURIComponent(input.deviceKey)}/telemetry`;
  const lines = [
    `curl ${quoteShell(`${input.httpUrl.replace(/\/+$/, '')}/${path}`)}`,
    `-H ${quoteShell(`Authorization: Bearer ${input.secret}`)}`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoteShell(objectText(input.reading))}`,
  ];
  return lines.join(' \\\n  ');
}

/** The topic a device publishes its readings to. */
export function telemetryTopic(tenant: string, deviceKey: string): string {
  return `tenant/${tenant}/device/${deviceKey}/telemetry`;
}

/** Programs that send one reading as this device, complete with its secret. Throws when `mqttUrl` is not a URL. */
export function buildSnippets(input: SnippetInput): readonly Snippet[] {
  const broker = parseBroker(input.mqttUrl);
  const topic = telemetryTopic(input.tenant, input.deviceKey);
  return [
    { id: 'mosquitto', title: 'mosquitto_pub', code: mosquitto(input, broker, topic) },
    { id: 'curl', title: 'curl', code: curl(input) },
    { id: 'python', title: 'Python', code: python(input, broker, topic) },
    { id: 'node', title: 'Node.js', code: node(input, topic) },
  ];
}
