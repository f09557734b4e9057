import { describe, expect, test } from 'vitest';
import { readStandaloneConfig } from './config.ts';

const read = (args: string[], env: Record<string, string> = {}) => readStandaloneConfig(args, env);

describe('the flags of npm start', () => {
  test('default to loopback, demo data, and ports that may give way', () => {
    expect(read([])).toMatchObject({
      demo: true,
      host: '127.0.0.1',
      publicHost: '127.0.0.1',
      httpPort: undefined,
      mqttPort: undefined,
      mqttsPort: undefined,
      mqttWsPort: undefined,
      externalDatabaseUrl: undefined,
    });
    expect(read([])?.dataDir).toMatch(/\/\.fleetgraph$/);
  });

  test('say what was asked for', () => {
    expect(
      read([
        '--empty',
        '--data',
        '/data',
        '--http',
        '9000',
        '--mqtt=1999',
        '--mqtts',
        '2000',
        '--mqtt-ws',
        '2001',
        '--host',
        '::1',
      ]),
    ).toMatchObject({
      ...{ demo: false, dataDir: '/data', httpPort: 9000, mqttPort: 1999, mqttsPort: 2000, mqttWsPort: 2001 },
      ...{ host: '::1', publicHost: '[::1]' },
    });
  });

  test('give an address that others can reach for a wildcard', () => {
    expect(read(['--host', '0.0.0.0'])?.publicHost).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(read(['--host', '0.0.0.0'])?.publicHost).not.toBe('0.0.0.0');
  });

  test.each([
    [['--http', 'eighty'], /--http eighty is not a port/],
    [['--mqtt', '70000'], /--mqtt 70000 is not a port/],
    [['--htpp', '80'], /Unknown option '--htpp'[\s\S]*Usage:/],
    [['extra'], /extra/],
  ])('are refused when wrong: %s', (args, message) => {
    expect(() => read(args)).toThrow(message);
  });

  test('take servers of one’s own from the environment, an empty variable being none', () => {
    expect(read([], { DATABASE_URL: 'postgresql://db/x', NATS_URL: '' })).toMatchObject({
      externalDatabaseUrl: 'postgresql://db/x',
      externalNatsUrl: undefined,
    });
  });
});
