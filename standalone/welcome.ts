import type { StandaloneConfig } from './config.ts';
import { demoPeople } from './demo.ts';
import type { Person } from './identity.ts';
import type { Platform } from './platform.ts';
import type { ReadyFile } from './ready-file.ts';

/** What `standalone.json` says about a running platform. */
export function describePlatform(platform: Platform): ReadyFile {
  return {
    http: platform.httpUrl,
    graphql: `${platform.httpUrl}/graphql`,
    graphqlWs: `${platform.httpUrl.replace(/^http/, 'ws')}/graphql`,
    mqtt: platform.mqttUrl,
    mqtts: platform.mqttsUrl,
    mqttWs: platform.mqttWsUrl,
    caFile: platform.caFile,
    nats: platform.natsUrl,
    database: platform.databaseUrl,
    oidcIssuer: platform.issuer,
    users: demoPeople(platform.secrets).map(describeUser),
    apiKey: platform.demo.apiKey,
    device: platform.demo.handsOn,
  };
}

/** What `standalone.json` says of somebody who can sign in. */
export function describeUser({
  email,
  password,
  tenant,
  role,
  operator,
}: Person): ReadyFile['users'][number] {
  return { email, password, tenant, role: operator ? 'PLATFORM_OPERATOR' : role };
}

/** Where to go, whom to sign in as, and commands to paste. */
export function welcomeText(ready: ReadyFile, config: StandaloneConfig, afterMs: number): string {
  const people = ready.users.map(
    ({ email, password, role }) => `    ${email.padEnd(18)} ${password}   ${role}`,
  );
  const lines = [
    '',
    `  Ready after ${(afterMs / 1000).toFixed(1)} s.  Console: ${ready.http}`,
    '',
    '  Sign in as',
    ...people,
    '',
    ...(ready.device ? publishLines(ready, ready.device) : firstDeviceLines()),
    '  Ask',
    `    curl -s ${ready.graphql} -H 'authorization: Bearer ${ready.apiKey}' \\`,
    `      -H 'content-type: application/json' \\`,
    `      -d '{"query":"{ devices(first: 5) { nodes { key name presence { connection lastSeenAt } } } }"}'`,
    '',
    `  Everything is kept in ${config.dataDir}; logs are in its folder logs. Ctrl-C stops.`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function publishLines(ready: ReadyFile, device: NonNullable<ReadyFile['device']>): string[] {
  const { hostname, port } = new URL(ready.mqtt);
  return [
    '  Publish',
    `    mosquitto_pub -h ${hostname} -p ${port} -i ${device.key} -u ${device.username} -P ${device.password} -q 1 \\`,
    `      -t tenant/${device.tenant}/device/${device.key}/telemetry -m '{"temperature": 21.5}'`,
    '',
  ];
}

function firstDeviceLines(): string[] {
  return ['  No devices yet: make the first one in the console under “New device”.', ''];
}
