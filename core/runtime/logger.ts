import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const SECRETS = [
  'password',
  'secret',
  'token',
  'authorization',
  '*.password',
  '*.secret',
  '*.token',
  '*.authorization',
];

/** Structured JSON log lines on standard output, one process name on every line, known secret fields removed. */
export function createLogger(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[redacted]' },
    formatters: { level: (label) => ({ level: label }) },
  });
}
