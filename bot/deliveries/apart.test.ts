import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { workApart } from './apart.ts';

interface Started {
  guid: string;
  end: (error?: Error) => void;
}

function recording(openStarts: Record<string, number>) {
  const started: Started[] = [];
  const work = workApart({
    openStarts: (guid) => Promise.resolve(openStarts[guid] ?? 0),
    work: (guid) =>
      new Promise((resolve, reject) => {
        started.push({ guid, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  });
  const end = (guid: string, error?: Error): void => started.find((one) => one.guid === guid)?.end(error);
  return { work, end, names: () => started.map(({ guid }) => guid) };
}

it('works on what is not suspected side by side, after one lost start too', async () => {
  const { work, names } = recording({ b: 1 });
  for (const guid of ['a', 'b', 'c']) void work(guid);
  await turn();
  expect(names()).toEqual(['a', 'b', 'c']);
});

it('works on suspects one after the other, whatever becomes of them, and on the others meanwhile', async () => {
  const { work, end, names } = recording({ s1: 2, s2: 2, s3: 3 });
  const first = work('s1');
  for (const guid of ['s2', 's3', 'a']) void work(guid);
  await turn();
  expect(names().toSorted()).toEqual(['a', 's1']);
  end('s1', new Error('GitHub is away'));
  await expect(first).rejects.toThrow('GitHub is away');
  await turn();
  expect(names().slice(2)).toEqual(['s2']);
  end('s2');
  await turn();
  expect(names().slice(2)).toEqual(['s2', 's3']);
});

it('works on one that is asked for twice once at a time', async () => {
  const { work, end, names } = recording({});
  const both = [work('a'), work('a')];
  await turn();
  expect(names()).toEqual(['a']);
  end('a');
  await Promise.all(both);
  void work('a');
  await turn();
  expect(names()).toEqual(['a', 'a']);
});
