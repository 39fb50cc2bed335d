import { expect, it } from 'vitest';
import { meanwhile } from './meanwhile.ts';

it('beats until the work has ended, one at a time, and gives its result', async () => {
  let beats = 0;
  let running = 0;
  let finish: (result: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const result = await meanwhile(work, 1, async () => {
    running += 1;
    expect(running).toBe(1);
    await Promise.resolve();
    running -= 1;
    beats += 1;
    if (beats === 3) finish('done');
  });
  expect(result).toBe('done');
  expect(beats).toBe(3);
});

it('does not beat for work that ends before', async () => {
  const beat = (): Promise<void> => Promise.reject(new Error('beaten'));
  expect(await meanwhile(Promise.resolve(1), 60_000, beat)).toBe(1);
});

it('fails as the work fails', async () => {
  const work = Promise.reject(new Error('no answer'));
  await expect(meanwhile(work, 60_000, () => Promise.resolve())).rejects.toThrow('no answer');
});

it('says that a beat failed, when the work has ended', async () => {
  let ended = false;
  let end = (): void => undefined;
  const work = new Promise<void>((resolve) => {
    end = () => {
      ended = true;
      resolve();
    };
  });
  const beat = (): Promise<void> => {
    setImmediate(end);
    return Promise.reject(new Error('the lane is gone'));
  };
  await expect(meanwhile(work, 1, beat)).rejects.toThrow('gone');
  expect(ended).toBe(true);
});
