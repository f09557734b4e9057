import { readFileSync } from 'node:fs';
import type { parseGatewayConfig } from './config.ts';
import type { ConnectionContext } from './connection-context.ts';
import { createListener, joinListeners, type Listener } from './listener.ts';

/**
 * Every door that the configuration asks for, as one: TCP, TLS, WebSocket. Whichever it is, what comes in meets the
 * same handshake and the same intake.
 * @throws when a certificate or key cannot be read
 */
export function createListeners(
  config: ReturnType<typeof parseGatewayConfig>,
  context: ConnectionContext,
): Listener {
  const { MQTT_HOST: host, MQTT_MAX_CONNECTIONS: maxConnections, identity } = config;
  const common = { host, maxConnections, context };
  const tls = identity && {
    certificate: readFileSync(identity.certFile),
    key: readFileSync(identity.keyFile),
  };
  const others: Listener[] = [];
  if (config.MQTTS_PORT > 0) others.push(createListener({ ...common, port: config.MQTTS_PORT, tls }));
  if (config.MQTT_WS_PORT > 0) {
    const webSocket = {
      allowedOrigins: config.MQTT_WS_ORIGINS,
      trustedProxies: config.MQTT_WS_TRUSTED_PROXIES,
    };
    const port = config.MQTT_WS_PORT;
    others.push(createListener({ ...common, port, webSocket, tls: config.MQTT_WS_TLS ? tls : undefined }));
  }
  return joinListeners(createListener({ ...common, port: config.MQTT_PORT }), ...others);
}
