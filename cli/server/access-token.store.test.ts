import pino from 'pino';
import { expect, it } from 'vitest';
import { hashToken } from '../../platform/crypto/hash.ts';
import { accessTokens, findAccess, revokeAccessToken } from '../../prisma/store/access-tokens.ts';
import { useDatabase } from '../../test/store/database.ts';
import { keepConfiguredToken } from './access-token.ts';

const database = useDatabase();

const log = pino({ level: 'silent' });
const start = (token: string | null) => keepConfiguredToken({ database, token, log, now: () => new Date() });
const opens = async (token: string) => (await findAccess(database.db, { tokenHash: hashToken(token) })) !== null;

it('is known after a start, once, however many start at the same time', async () => {
  await Promise.all(['one', 'one', 'one'].map(start));
  await start('one');
  expect(await opens('one')).toBe(true);
  expect((await accessTokens(database.db)).map(({ name }) => name)).toEqual(['LANDFALL_ACCESS_TOKEN']);
});

it('is revoked when the variable holds another, or none, and tokens that people made are not', async () => {
  await database.db.accessToken.create({ data: { name: 'ada', tokenHash: hashToken('of ada') } });
  await start('two');
  expect([await opens('one'), await opens('two'), await opens('of ada')]).toEqual([false, true, true]);
  await start(null);
  expect([await opens('two'), await opens('of ada')]).toEqual([false, true]);
  const events = await database.db.auditEvent.findMany({ orderBy: { id: 'asc' } });
  expect(events.map(({ action }) => action)).toEqual(['token.added', 'token.revoked', 'token.added', 'token.revoked']);
});

it('stays revoked when somebody revoked it', async () => {
  await start('three');
  const { id } = (await findAccess(database.db, { tokenHash: hashToken('three') }))!;
  await revokeAccessToken(database.db, id, new Date());
  await start('three');
  expect(await opens('three')).toBe(false);
});
