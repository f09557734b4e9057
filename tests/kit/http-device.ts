import type { SeededDevice } from './seed.ts';

/** What a door answered. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the door said
  readonly body: any;
}

/** POSTs to a path of the API; a body that is no text goes as JSON. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<DoorAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

export const bearer = (device: SeededDevice) => ({ authorization: `Bearer ${device.password}` });

export const basic = (device: SeededDevice) => ({
  authorization: `Basic ${Buffer.from(`${device.username}:${device.password}`).toString('base64')}`,
});

/** The path of a device's door. */
export const doorOf = (device: SeededDevice, kind = 'telemetry'): string =>
  `/ingest/v1/tenant/${device.tenant}/device/${device.key}/${kind}`;
