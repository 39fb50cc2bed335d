/** The local image registry of `up`: Debian's docker-registry behind a password. Rendering apart from running. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import bcrypt from 'bcryptjs';
import { stringify } from 'yaml';

export const registryUser = 'landfall';

/** The registry's configuration file, YAML. It listens on loopback only and may delete what is no longer referenced. */
export function renderRegistryConfig(options: { port: number; storageDir: string; htpasswdFile: string }): string {
  return stringify({
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: options.storageDir }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${options.port}` },
    auth: { htpasswd: { realm: 'landfall', path: options.htpasswdFile } },
  });
}

/** Writes configuration and password file into DIR and gives the configuration's path. */
export function writeRegistryFiles(dir: string, options: { port: number; password: string }): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const htpasswdFile = path.join(dir, 'htpasswd');
  const configFile = path.join(dir, 'config.yml');
  writeFileSync(htpasswdFile, `${registryUser}:${bcrypt.hashSync(options.password, 5)}\n`, { mode: 0o600 });
  writeFileSync(
    configFile,
    renderRegistryConfig({ port: options.port, storageDir: path.join(dir, 'data'), htpasswdFile }),
  );
  return configFile;
}
