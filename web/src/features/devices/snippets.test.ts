import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildSnippets, quoteShell, type SnippetInput } from './snippets.ts';

const input = {
  mqttUrl: 'mqtt://127.0.0.1:1884',
  httpUrl: 'http://127.0.0.1:8080',
  tenant: 'acme',
  deviceKey: 'boiler:1',
  username: 'acme/boiler:1',
  secret: "se'cret $HOME",
  reading: { temperature: 21.5 },
};
const code = (id: string, change: Partial<SnippetInput> = {}) =>
  buildSnippets({ ...input, ...change }).find((snippet) => snippet.id === id)?.code ?? '';

it('quotes for the shell so that any secret arrives unchanged', () => {
  for (const text of ['plain', "it's", '$HOME `id` "x" \\', '']) {
    expect(execFileSync('sh', ['-c', `printf %s ${quoteShell(text)}`]).toString()).toBe(text);
  }
});

it('fills in broker, topic, user name and token', () => {
  const command = code('mosquitto');
  expect(command).toContain('-h 127.0.0.1 -p 1884 -q 1');
  expect(command).toContain('-t tenant/acme/device/boiler:1/telemetry');
  expect(command).toContain('-u acme/boiler:1');
  expect(code('node')).toContain('"mqtt://127.0.0.1:1884"');
  expect(code('python')).toContain('port=1884');
});

it('sends over HTTP to the door of the device', () => {
  const command = code('curl');
  expect(command).toContain('http://127.0.0.1:8080/ingest/v1/tenant/acme/device/boiler%3A1/telemetry');
  const told = execFileSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${command}`]).toString();
  expect(told).toContain(`Authorization: Bearer ${input.secret}`);
});

it('turns on TLS and its port where the address asks for it', () => {
  const secure = { mqttUrl: 'mqtts://mqtt.example.com' };
  expect(code('mosquitto', secure)).toContain('-p 8883 -q 1 --tls-use-os-certs');
  expect(code('python', secure)).toContain('tls={}');
});

it('sends the reading it is given, in every language', () => {
  const reading = { 'volt-age': 450, mode: "it's", on: true };
  const command = code('curl', { reading });
  const told = execFileSync('sh', ['-c', `curl() { for each; do :; done; printf %s "$each"; }; ${command}`]);
  expect(JSON.parse(told.toString())).toEqual(reading);
  expect(code('python', { reading })).toContain(`{"volt-age": 450, "mode": "it's", "on": True}`);
  expect(code('node', { reading })).toContain(`{"volt-age": 450, "mode": "it's", "on": true}`);
});
