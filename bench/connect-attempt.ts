import { connect } from 'node:net';
import { generate } from 'mqtt-packet';

/** Whom a CONNECT claims to be. */
export interface Caller {
  readonly username: string;
  readonly password: string;
}

export interface Attempt {
  /** Of the CONNACK; undefined when there was none. */
  readonly returnCode: number | undefined;
  /** From asking for the socket to the CONNACK, in ms. */
  readonly ms: number;
}

const TIMEOUT_MS = 15_000;
const DISCONNECT = Buffer.from([0xe0, 0]);

/** Connects with MQTT 3.1.1, waits for the CONNACK and leaves. Never rejects. */
export function attemptConnect(url: string, { username, password }: Caller): Promise<Attempt> {
  const { hostname, port } = new URL(url);
  const hello = generate({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 },
    ...{ clientId: username.replaceAll('/', '-'), username, password: Buffer.from(password) },
  });
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const finish = (returnCode: number | undefined) => {
      clearTimeout(timer);
      resolve({ returnCode, ms: performance.now() - startedAt });
      socket.destroy();
    };
    const timer = setTimeout(() => finish(undefined), TIMEOUT_MS);
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.once('connect', () => socket.write(hello));
    socket.once('data', (chunk: Buffer) => {
      if (chunk[3] === 0) socket.write(DISCONNECT);
      finish(chunk[0] === 0x20 ? chunk[3] : undefined);
    });
  });
}

/** Every caller once, at a steady rate, whatever becomes of the ones before; resolves to the attempts in the order of the callers. */
export function attemptAll(url: string, callers: readonly Caller[], perSecond: number): Promise<Attempt[]> {
  const attempts: Promise<Attempt>[] = [];
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(((performance.now() - startedAt) / 1_000) * perSecond, callers.length);
      for (const caller of callers.slice(attempts.length, Math.ceil(due)))
        attempts.push(attemptConnect(url, caller));
      if (attempts.length < callers.length) return;
      clearInterval(timer);
      resolve(Promise.all(attempts));
    }, 1);
  });
}
