/** Where the control plane is: flags first, then the environment, then what `landfall up` left in its data folder. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import type { CliEnvironment } from '../platform/config/cli.ts';
import type { Connection } from './client.ts';

const ConnectionFile = Type.Object({ url: Type.String(), token: Type.String() });

export interface ConnectionFlags {
  url?: string | undefined;
  token?: string | undefined;
  data: string;
}

export class NoConnectionError extends Error {}

const fileOf = (dataDir: string): string => path.join(dataDir, 'connection.json');

/** What `landfall up` writes for the CLI that runs beside it. */
export function writeConnection(dataDir: string, connection: Connection): void {
  writeFileSync(fileOf(dataDir), JSON.stringify(connection, null, 2), { mode: 0o600 });
}

/** Throws NoConnectionError, which says the three ways to give one. */
export function resolveConnection(flags: ConnectionFlags, environment: CliEnvironment): Connection {
  const file = fileOf(flags.data);
  const local = existsSync(file) ? Value.Parse(ConnectionFile, JSON.parse(readFileSync(file, 'utf8'))) : null;
  const url = flags.url ?? environment.url ?? local?.url;
  const token = flags.token ?? environment.token ?? local?.token;
  if (url !== undefined && token !== undefined) return { url, token };
  throw new NoConnectionError(
    `No ${url === undefined ? 'control plane' : 'access token'} is known. Give --url and --token, or set LANDFALL_URL and LANDFALL_TOKEN, or run this where landfall up keeps its data (--data DIR).`,
  );
}
