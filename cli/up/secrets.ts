/** The secrets of a local Landfall: made once, kept in one file that only its owner reads. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';

const Secrets = Type.Object({
  registryPassword: Type.String(),
  webhookSecret: Type.String(),
  /** RSA, PKCS#8 and SPKI, PEM. */
  appPrivateKey: Type.String(),
  appPublicKey: Type.String(),
  /** Bearer token of the local CLI. */
  accessToken: Type.String(),
});
export type Secrets = Static<typeof Secrets>;

function makeSecrets(): Secrets {
  const random = (): string => randomBytes(24).toString('base64url');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    registryPassword: random(),
    webhookSecret: random(),
    appPrivateKey: privateKey,
    appPublicKey: publicKey,
    accessToken: `lf_${random()}`,
  };
}

/** Reads DIR/secrets.json, or makes it. Throws when the file is there and cannot be understood: it is never overwritten. */
export function loadSecrets(dataDir: string): Secrets {
  const file = path.join(dataDir, 'secrets.json');
  if (existsSync(file)) return Value.Parse(Secrets, JSON.parse(readFileSync(file, 'utf8')));
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secrets = makeSecrets();
  writeFileSync(`${file}.new`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}
