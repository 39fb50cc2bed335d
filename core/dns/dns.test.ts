import { describe, expect, it } from 'vitest';
import { answer, type Question } from './answer.ts';
import { namesOf, type NamedReplica } from './views.ts';

function replica(service: string, ip: string, change: Partial<NamedReplica> = {}): NamedReplica {
  return {
    ...{ projectId: 'shop', environmentId: 'shop-production', environment: 'production', service },
    ...{ nodeId: 'node-1', ip, serves: true, ...change },
  };
}

const replicas = [
  replica('web', '10.200.1.2'),
  replica('web', '10.200.2.2', { nodeId: 'node-2' }),
  replica('web', '10.200.2.3', { nodeId: 'node-2', serves: false }),
  replica('jobs', '10.200.1.4', { serves: false }),
  replica('web', '10.200.2.9', { nodeId: 'node-2', environment: 'staging', environmentId: 'shop-staging' }),
  replica('db', '10.200.2.5', { nodeId: 'node-2', projectId: 'bank', environmentId: 'bank-production' }),
];

function ask(question: Partial<Question> & { name: string }, { asker = '10.200.1.2', turn = 0 } = {}) {
  return answer(namesOf('node-1', replicas), { asker, question: { type: 'A', ...question }, turn });
}

describe('names of a node', () => {
  it('are those of the projects that run on it, and of no other', () => {
    expect(namesOf('node-1', replicas)).toEqual({
      ttlSeconds: 5,
      views: [
        {
          environmentId: 'shop-production',
          askers: ['10.200.1.2', '10.200.1.4'],
          names: {
            'jobs.internal': [],
            'jobs.production.internal': [],
            'web.internal': ['10.200.1.2', '10.200.2.2'],
            'web.production.internal': ['10.200.1.2', '10.200.2.2'],
            'web.staging.internal': ['10.200.2.9'],
          },
        },
      ],
    });
    expect(JSON.stringify(namesOf('node-1', replicas))).not.toContain('10.200.2.5');
  });

  it('are the same in whatever order replicas come (P17)', () => {
    expect(namesOf('node-2', replicas.toReversed())).toEqual(namesOf('node-2', replicas));
  });
});

describe('an answer', () => {
  it('names the healthy replicas, another one first each time', () => {
    expect(ask({ name: 'web.internal' })).toEqual({ kind: 'addresses', addresses: ['10.200.1.2', '10.200.2.2'] });
    expect(ask({ name: 'web.internal' }, { turn: 1 })).toEqual({
      kind: 'addresses',
      addresses: ['10.200.2.2', '10.200.1.2'],
    });
  });

  it('does not mind case, and the dot at the end', () => {
    expect(ask({ name: 'WEB.Staging.InterNal.' })).toEqual({ kind: 'addresses', addresses: ['10.200.2.9'] });
  });

  it('is empty for a name without healthy replicas, and for another type', () => {
    expect(ask({ name: 'jobs.internal' })).toEqual({ kind: 'no_data' });
    expect(ask({ name: 'web.internal', type: 'AAAA' })).toEqual({ kind: 'no_data' });
  });

  it('P16: says that a name is not there, and asks nobody else', () => {
    for (const name of ['nope.internal', 'a.web.internal', 'db.internal', 'web.nope.internal'])
      expect(ask({ name })).toEqual({ kind: 'no_name' });
  });

  it('knows that there is something below a name that has nothing itself', () => {
    for (const name of ['internal', 'production.internal', 'staging.internal'])
      expect(ask({ name })).toEqual({ kind: 'no_data' });
  });

  it('asks others about everything else, names that only end alike included', () => {
    for (const name of ['example.com', 'notinternal', 'internal.example.com'])
      expect(ask({ name })).toEqual({ kind: 'forward' });
  });

  it('gives a container nothing of another project', () => {
    const names = namesOf('node-2', replicas);
    const question = { name: 'web.internal', type: 'A' };
    expect(answer(names, { asker: '10.200.2.5', question, turn: 0 })).toEqual({ kind: 'no_name' });
    expect(answer(names, { asker: '10.200.2.2', question, turn: 0 })).toMatchObject({ kind: 'addresses' });
  });

  it('gives the node itself what has one meaning', () => {
    const names = namesOf('node-2', replicas);
    const at = (name: string) => answer(names, { asker: '127.0.0.1', question: { name, type: 'A' }, turn: 0 });
    expect(at('db.internal')).toMatchObject({ kind: 'addresses' });
    expect(at('web.staging.internal')).toMatchObject({ kind: 'addresses' });
    // Production's and staging's.
    expect(at('web.internal')).toEqual({ kind: 'no_name' });
  });
});
