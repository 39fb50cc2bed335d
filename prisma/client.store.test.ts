import { beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../test/store/database.ts';
import { openDatabase, transaction } from './client.ts';
import { isUniqueViolation, isWriteConflict, sqlState } from './conflict.ts';

const database = useDatabase();
beforeAll(async () => {
  await database.pool.query('CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)');
  await database.pool.query('INSERT INTO counter VALUES (1, 0), (2, 0)');
});

async function caught(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** Resolves for everyone when this many have come. */
function meeting(size: number): () => Promise<void> {
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => (open = resolve));
  let arrived = 0;
  return () => {
    if (++arrived >= size) open();
    return all;
  };
}

describe('transaction', () => {
  it('runs anew when it met another writer, until both are written', async () => {
    const meet = meeting(2);
    let attempts = 0;
    const increment = (): Promise<void> =>
      transaction(
        database,
        async (tx) => {
          attempts++;
          const [row] = await tx.$queryRaw<{ n: number }[]>`SELECT n FROM counter WHERE id = 1`;
          await meet();
          await tx.$executeRaw`UPDATE counter SET n = ${row!.n + 1} WHERE id = 1`;
        },
        { isolationLevel: 'Serializable' },
      );
    await Promise.all([increment(), increment()]);
    expect((await database.pool.query('SELECT n FROM counter WHERE id = 1')).rows).toEqual([{ n: 2 }]);
    expect(attempts).toBe(3);
  });

  it('runs anew when it is refused as late as its commit', async () => {
    const meet = meeting(2);
    let attempts = 0;
    // Each reads what the other writes: no order of the two gives what both saw.
    const write = (id: number): Promise<void> =>
      transaction(
        database,
        async (tx) => {
          attempts++;
          await tx.$queryRaw`SELECT sum(n)::int FROM counter`;
          await tx.$executeRaw`UPDATE counter SET n = n + 1 WHERE id = ${id}`;
          await meet();
        },
        { isolationLevel: 'Serializable' },
      );
    await Promise.all([write(1), write(2)]);
    expect(attempts).toBe(3);
  });

  it('runs anew when it was chosen to end a deadlock', async () => {
    const meet = meeting(2);
    const touch = (ids: number[]): Promise<void> =>
      transaction(database, async (tx) => {
        for (const id of ids) {
          await tx.$executeRaw`UPDATE counter SET n = n + 1 WHERE id = ${id}`;
          await meet();
        }
      });
    await database.pool.query('UPDATE counter SET n = 0');
    await Promise.all([touch([1, 2]), touch([2, 1])]);
    expect((await database.pool.query('SELECT n FROM counter ORDER BY id')).rows).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it('does not run anew what failed for another reason', async () => {
    let attempts = 0;
    const run = (): Promise<void> =>
      transaction(database, () => {
        attempts++;
        return Promise.reject(new Error('refused'));
      });
    await expect(run()).rejects.toThrow('refused');
    expect(attempts).toBe(1);
  });

  it('gives up after its attempts', async () => {
    let attempts = 0;
    const conflict = Object.assign(new Error('could not serialize access'), { code: '40001' });
    const run = (): Promise<void> =>
      transaction(database, () => (attempts++, Promise.reject(conflict)), { attempts: 3 });
    await expect(run()).rejects.toBe(conflict);
    expect(attempts).toBe(3);
  });
});

describe('codes of PostgreSQL', () => {
  const insert = `INSERT INTO "Setting" (key, "valueSealed", "updatedAt") VALUES ('twice', '', now())`;

  it('are found in what pg throws, and in what Prisma throws for models and raw statements', async () => {
    await database.pool.query(insert);
    const byPg = await caught(() => database.pool.query(insert));
    const byRaw = await caught(() => database.db.$executeRawUnsafe(insert));
    const byModel = await caught(() =>
      database.db.setting.create({ data: { key: 'twice', valueSealed: new Uint8Array() } }),
    );
    for (const error of [byPg, byRaw, byModel]) expect(isUniqueViolation(error)).toBe(true);
    expect([byPg, byRaw, byModel].map(sqlState)).toEqual(['23505', '23505', '23505']);
    expect(isWriteConflict(byModel)).toBe(false);
    expect(sqlState(new Error('40001'))).toBeNull();
  });
});

describe('the pool', () => {
  it('outlives connections that the server cuts', async () => {
    const warnings: string[] = [];
    const other = openDatabase(database.url, { log: { warn: (_, message) => void warnings.push(message) } });
    const { rows } = await other.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await database.pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
    while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await other.db.setting.count({ where: { key: 'none' } })).toBe(0);
    await other.close();
  });

  it('says within its time that there is no server', async () => {
    const nowhere = openDatabase('postgres://nobody@127.0.0.1:1/none');
    await expect(nowhere.pool.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await nowhere.close();
  });
});
