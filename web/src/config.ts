/** What the API tells the console about the deployment it is part of, from `GET /config.json`. */
export type ConsoleConfig = {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly version: string;
  /** Where map tiles come from; undefined: from nowhere. */
  readonly tilesUrl: string | undefined;
  readonly tilesAttribution: string;
};

const fields = ['issuer', 'clientId', 'audience', 'mqttUrl', 'httpUrl', 'version'] as const;

/** Reads a decoded `/config.json`. Throws with every missing field named at once. */
export function parseConfig(input: unknown): ConsoleConfig {
  const given = new Map(Object.entries(typeof input === 'object' && input !== null ? input : {}));
  const text = (field: string): string => {
    const value: unknown = given.get(field);
    return typeof value === 'string' ? value : '';
  };
  const missing = fields.filter((field) => text(field) === '');
  if (missing.length > 0) throw new Error(`/config.json lacks ${missing.join(', ')}`);
  return {
    issuer: text('issuer'),
    clientId: text('clientId'),
    audience: text('audience'),
    mqttUrl: text('mqttUrl'),
    httpUrl: text('httpUrl'),
    version: text('version'),
    tilesUrl: text('tilesUrl') || undefined,
    tilesAttribution: text('tilesAttribution'),
  };
}

/** Fetches the deployment's configuration; gives up after 10 s. */
export async function loadConfig(): Promise<ConsoleConfig> {
  const response = await fetch('/config.json', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  return parseConfig(await response.json());
}
