import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { masterKeyResources } from '../../api/resources/master-keys.ts';
import { decrypt, encrypt, keyIds, type MasterKeys } from '../../platform/crypto/envelope.ts';
import { secretsPerKey } from '../../prisma/store/envelopes.ts';
import { useDatabase } from '../../test/store/database.ts';
import { makeWorld, type World } from '../../test/store/rows.ts';
import { reencryptSecrets } from './reencrypt.ts';

const old: MasterKeys = { keys: [new Uint8Array(32).fill(1)] };
const rotated: MasterKeys = { keys: [new Uint8Array(32).fill(2), old.keys[0]] };
const newOnly: MasterKeys = { keys: [rotated.keys[0]] };
const lost: MasterKeys = { keys: [new Uint8Array(32).fill(3)] };

const database = useDatabase();
let world: World;
beforeEach(async () => {
  await database.db.secret.deleteMany();
  world = await makeWorld(database.db);
});

const placeOf = (id: string) => ({ table: 'Secret', column: 'valueSealed', id });

async function addSecret(keys: MasterKeys, name: string): Promise<string> {
  const id = randomUUID();
  const valueSealed = encrypt(keys, Buffer.from(`value of ${name}`), placeOf(id));
  await database.db.secret.create({ data: { id, environmentId: world.environmentId, name, valueSealed } });
  return id;
}

async function read(keys: MasterKeys, id: string): Promise<string> {
  const { valueSealed } = await database.db.secret.findUniqueOrThrow({ where: { id } });
  return decrypt(keys, valueSealed, placeOf(id)).toString();
}

function run(keys: MasterKeys, signal = new AbortController().signal) {
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) });
  return reencryptSecrets({ database, masterKeys: keys, log, signal }).then((done) => ({ done, said }));
}

const states = async (keys: MasterKeys) =>
  masterKeyResources(keys, await secretsPerKey(database.db)).map(({ state, secrets }) => [state, secrets]);

it('takes every secret to the first key, over several batches, so that the old line can be dropped', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 230; index++) ids.push(await addSecret(index % 10 === 0 ? rotated : old, `S${index}`));
  expect(await states(rotated)).toEqual([
    ['current', 23],
    ['older', 207],
  ]);
  const { done, said } = await run(rotated);
  expect(done).toEqual({ reencrypted: 207, closed: 0 });
  expect(said).toContain('no secret needs the older master keys any more');
  expect(await states(rotated)).toEqual([
    ['current', 230],
    ['older', 0],
  ]);
  for (const [index, id] of ids.entries()) expect(await read(newOnly, id)).toBe(`value of S${index}`);
  expect((await run(rotated)).done).toEqual({ reencrypted: 0, closed: 0 });
});

it('leaves alone what does not open, says so, and does not say that older keys are of no use', async () => {
  const closed = await addSecret(lost, 'LOST');
  const opened = await addSecret(old, 'OLD');
  const { done, said } = await run(rotated);
  expect(done).toEqual({ reencrypted: 1, closed: 1 });
  expect(said.join()).toMatch(/do not open/);
  expect(said.join()).not.toMatch(/any more/);
  expect([await read(lost, closed), await read(newOnly, opened)]).toEqual(['value of LOST', 'value of OLD']);
  expect(masterKeyResources(rotated, await secretsPerKey(database.db)).at(-1)).toEqual({
    ...{ id: keyIds(lost)[0], state: 'missing', secrets: 1 },
  });
});

it('ends when it is told to', async () => {
  await addSecret(old, 'OLD');
  expect((await run(rotated, AbortSignal.abort())).done.reencrypted).toBe(0);
});
