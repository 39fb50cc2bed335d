/** The one logger: JSON lines on standard error, so that standard output stays for what a command answers. */
import pino, { type Logger } from 'pino';

export type { Logger };

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Names of fields that never reach the log, at any of the depths that we log. */
const secretNames = [
  'authorization',
  'password',
  'token',
  'secret',
  'privateKey',
  'cookie',
  'credentials',
  'webhookSecret',
  'secrets',
  'value',
];
const depths = ['', '*.', '*.*.'];

export interface LogOptions {
  /** Of the process: `server`, `agent`. */
  name: string;
  level: LogLevel;
  /** Where lines go; standard error by default. */
  destination?: pino.DestinationStream;
}

export function createLog({ name, level, destination }: LogOptions): Logger {
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: depths.flatMap((depth) => secretNames.map((secret) => `${depth}${secret}`)),
        censor: '[redacted]',
      },
    },
    destination ?? pino.destination({ fd: 2, sync: false }),
  );
}
