import { expect, it } from 'vitest';
import { amountsNotTaken, notTakenSentence, type Amounts } from './amounts.ts';

const taken: Amounts = { cpuMillis: 500, memoryBytes: 256 * 2 ** 20, pids: 512, replicas: 1 };
const service = ({ replicas, ...resources }: Amounts) => ({ service: { replicas, resources } });

it('amountsNotTaken gives what the commit says where it differs', () => {
  expect(amountsNotTaken(taken, { ...taken })).toBeNull();
  expect(amountsNotTaken({ ...taken, replicas: 2 }, taken)).toEqual({ replicas: 2 });
});

it('notTakenSentence says who has the say, what runs and what the commit says', () => {
  expect(notTakenSentence({ web: service(taken) }, 'main')).toBeNull();
  const services = {
    web: { ...service(taken), notTaken: { cpuMillis: 2_000, memoryBytes: 2 ** 30, replicas: 2 } },
    api: service(taken),
    jobs: { ...service(taken), notTaken: { pids: 1_000 } },
  };
  expect(notTakenSentence(services, 'main')).toBe(
    'How much services may use is said by landfall.yml on main, not by this commit: jobs runs with pids 512 (not 1000); web runs with cpu 0.5 (not 2), memory 256Mi (not 1Gi), replicas 1 (not 2).',
  );
});

it('notTakenSentence stays one line of many services', () => {
  const many = Array.from({ length: 50 }, (_, index) => [
    `s${index}`,
    { ...service(taken), notTaken: { replicas: 2 } },
  ]);
  const sentence = notTakenSentence(Object.fromEntries(many) as Parameters<typeof notTakenSentence>[0], 'main');
  expect(sentence).toMatch(/; and 45 more\.$/);
  expect(sentence?.length).toBeLessThan(500);
});
