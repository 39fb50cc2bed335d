/** Where the master keys come from. */
import path from 'node:path';

export type MasterKeySource =
  { kind: 'command'; program: string } | { kind: 'file'; path: string } | { kind: 'passphrase'; passphrase: string };

/** Each that is set counts: the first of them encrypts, the others still open. So one takes the place of another. */
export function masterKeySources(
  read: (name: string) => string | null,
  dataDir: string,
): readonly [MasterKeySource, ...MasterKeySource[]] {
  const program = read('LANDFALL_MASTER_KEY_COMMAND');
  const file = read('LANDFALL_MASTER_KEY_FILE');
  const passphrase = read('LANDFALL_PASSPHRASE');
  const sources: MasterKeySource[] = [
    ...(program === null ? [] : [{ kind: 'command' as const, program }]),
    ...(file === null ? [] : [{ kind: 'file' as const, path: file }]),
    ...(passphrase === null ? [] : [{ kind: 'passphrase' as const, passphrase }]),
  ];
  const [first, ...others] = sources;
  return first === undefined ? [{ kind: 'file', path: path.join(dataDir, 'master.key') }] : [first, ...others];
}
