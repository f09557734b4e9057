import { parseBroker, quoteShell, type Snippet, telemetryTopic } from './snippets.ts';

/** What a device needs to connect with its certificate. */
export type CertificateBundle = {
  readonly tenant: string;
  readonly deviceKey: string;
  /** `mqtts://host:port`. */
  readonly mqttsUrl: string;
  /** PEM: with the tenant's authority behind it. */
  readonly certificate: string;
  /** PEM: the platform's root. */
  readonly ca: string;
  /** PEM; undefined where the key never left the device. */
  readonly privateKey: string | undefined;
};

const files = { certificate: 'device.crt', privateKey: 'device.key', ca: 'ca.crt' } as const;

/** The files of a bundle by name: certificate, key, root, configuration, and a program in each language. */
export function bundleFiles(bundle: CertificateBundle): ReadonlyMap<string, string> {
  const { tenant, deviceKey, mqttsUrl } = bundle;
  const config = {
    ...{ tenant, device: deviceKey, mqtts_url: mqttsUrl, topic: telemetryTopic(tenant, deviceKey) },
    ...{ certificate: files.certificate, private_key: files.privateKey, ca: files.ca },
  };
  const names: Readonly<Record<string, string>> = {
    mosquitto: 'publish.sh',
    python: 'publish.py',
    node: 'publish.mjs',
    c: 'publish.c',
  };
  return new Map([
    [files.certificate, bundle.certificate],
    ...(bundle.privateKey === undefined ? [] : ([[files.privateKey, bundle.privateKey]] as const)),
    [files.ca, bundle.ca],
    ['config.json', `${JSON.stringify(config, null, 2)}\n`],
    ...certificateSnippets(bundle).map(({ id, code }) => [names[id] ?? `${id}.txt`, `${code}\n`] as const),
  ]);
}

/** Programs that send one reading with the files of the bundle beside them. */
export function certificateSnippets(
  bundle: Pick<CertificateBundle, 'tenant' | 'deviceKey' | 'mqttsUrl'>,
): readonly Snippet[] {
  const { host, port } = parseBroker(bundle.mqttsUrl);
  const topic = telemetryTopic(bundle.tenant, bundle.deviceKey);
  return [
    { id: 'mosquitto', title: 'mosquitto_pub', code: mosquitto(host, port, topic) },
    { id: 'python', title: 'Python', code: python(host, port, topic) },
    { id: 'node', title: 'Node.js', code: node(bundle.mqttsUrl, topic) },
    { id: 'c', title: 'C', code: c(host, port, topic) },
  ];
}

const mosquitto = (host: string, port: number, topic: string): string =>
  [
    `mosquitto_pub -h ${quoteShell(host)} -p ${port} -q 1`,
    `--cafile ${files.ca} --cert ${files.certificate} --key ${files.privateKey}`,
    `-t ${quoteShell(topic)}`,
    `-m '{"temperature": 21.5}'`,
  ].join(' \\\n  ');

const python = (host: string, port: number, topic: string): string => `# pip install paho-mqtt
import json
import paho.mqtt.publish as publish

publish.single(
    ${JSON.stringify(topic)},
    json.dumps({"temperature": 21.5}),
    qos=1,
    hostname=${JSON.stringify(host)},
    port=${port},
    tls={"ca_certs": "${files.ca}", "certfile": "${files.certificate}", "keyfile": "${files.privateKey}"},
)`;

const node = (url: string, topic: string): string => `// npm install mqtt
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';

const client = await mqtt.connectAsync(${JSON.stringify(url)}, {
  ca: readFileSync('${files.ca}'),
  cert: readFileSync('${files.certificate}'),
  key: readFileSync('${files.privateKey}'),
});
await client.publishAsync(
  ${JSON.stringify(topic)},
  JSON.stringify({ temperature: 21.5 }),
  { qos: 1 },
);
await client.endAsync();`;

const c = (host: string, port: number, topic: string): string => `/* cc publish.c -lmosquitto -o publish */
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>

static void sent(struct mosquitto *client, void *data, int id) {
  (void)data; (void)id;
  mosquitto_disconnect(client);
}

int main(void) {
  const char *payload = "{\\"temperature\\": 21.5}";
  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(NULL, true, NULL);
  mosquitto_publish_callback_set(client, sent);
  mosquitto_tls_set(client, "${files.ca}", NULL, "${files.certificate}", "${files.privateKey}", NULL);
  int error = mosquitto_connect(client, ${JSON.stringify(host)}, ${port}, 60);
  if (!error) error = mosquitto_publish(client, NULL, ${JSON.stringify(topic)}, (int)strlen(payload), payload, 1, false);
  if (!error) error = mosquitto_loop_forever(client, -1, 1);
  if (error) fprintf(stderr, "%s\\n", mosquitto_strerror(error));
  mosquitto_destroy(client);
  mosquitto_lib_cleanup();
  return error;
}`;

/** What a device sends to exchange its claim code. */
export function claimCommand(httpUrl: string, code: string): string {
  return [
    `curl ${quoteShell(`${httpUrl.replace(/\/+$/, '')}/enroll/v1/claim`)}`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoteShell(JSON.stringify({ code }))}`,
  ].join(' \\\n  ');
}
