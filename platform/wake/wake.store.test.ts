import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/store/database.ts';
import { notify, notifySql } from './notify.ts';
import { nodeTopic } from './topics.ts';
import { openWake, type Wake } from './wake.ts';

const database = useDatabase();
let wake: Wake;
beforeEach(async () => {
  wake = await openWake(database.url, { checkMs: 50 });
});
afterEach(() => wake.close());

const soon = { timeoutMs: 10_000 };

async function untilTimeout(topic: string): Promise<void> {
  await expect(wake.waitFor(topic, { timeoutMs: 100 })).resolves.toBe('timeout');
}

describe('wake', () => {
  it('hears a topic that another connection named', async () => {
    const change = wake.waitFor(nodeTopic('a'), soon);
    await notify(database.db, [nodeTopic('a'), nodeTopic('b')]);
    await expect(change).resolves.toBe('woken');
  });

  it('hears of a transaction when it commits, and of none that is rolled back', async () => {
    const heard: string[] = [];
    wake.subscribe('work:1', () => heard.push('woken'));
    const rolledBack = database.db.$transaction(async (tx) => {
      await notify(tx, ['work:1']);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    await database.db.$transaction(async (tx) => {
      await notify(tx, ['work:1']);
      await untilTimeout('work:1');
      expect(heard).toEqual([]);
    });
    if (heard.length === 0) await wake.waitFor('work:1', soon);
    expect(heard).toEqual(['woken']);
  });

  it('takes any text for a topic', async () => {
    const topic = `log:'; DROP TABLE "Node"; -- \\ ü`;
    const change = wake.waitFor(topic, soon);
    const { text, values } = notifySql([topic, topic]);
    await database.pool.query(text, values);
    await expect(change).resolves.toBe('woken');
  });

  it('connects again when its connection is cut, and then wakes everyone', async () => {
    const change = wake.waitFor('rollout:1', soon);
    await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'landfall wake' AND datname = current_database()`,
    );
    await expect(change).resolves.toBe('woken');
    const next = wake.waitFor('rollout:1', soon);
    await notify(database.db, ['rollout:1']);
    await expect(next).resolves.toBe('woken');
  });

  it('wakes within milliseconds', async () => {
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const change = wake.waitFor('node:fast', soon);
      const began = performance.now();
      await notify(database.db, ['node:fast']);
      await change;
      times.push(performance.now() - began);
    }
    const median = times.sort((a, b) => a - b)[15]!;
    console.log(`notify to wake: median ${median.toFixed(1)} ms`);
    expect(median).toBeLessThan(100);
  });

  it('lets go of whoever waits when it closes, and ends its connection', async () => {
    const other = await openWake(database.url);
    const change = other.waitFor('node:x', soon);
    await other.close();
    await expect(change).resolves.toBe('woken');
  });

  it('says at once when there is no database', async () => {
    await expect(openWake('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
