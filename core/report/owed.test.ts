import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { rolloutStages } from '../rollout/stage.ts';
import { maxWritesPerDeploy, movedWrites, owedWrites } from './owed.ts';
import { writePayloads, type Write } from './writes.ts';
import type { BuildReport, IntentReport, RolloutReport } from './view.ts';

const start = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);
const now = at(60_000);

const build: BuildReport = {
  service: 'web',
  status: 'queued',
  reasonCode: null,
  reason: null,
  imageDigest: null,
  annotations: [],
  logTail: [],
  startedAt: null,
  finishedAt: null,
};
const rollout: RolloutReport = {
  service: 'web',
  replicas: 1,
  stage: 'pulling',
  reasonCode: null,
  reason: null,
  createdAt: at(10_000),
  events: [
    { stage: 'pending', at: at(10_000) },
    { stage: 'pulling', at: at(10_200) },
  ],
  lastLog: [],
};
const intent: IntentReport = {
  id: 'i1',
  repositoryId: 42,
  environment: 'production',
  transient: false,
  environmentUrl: 'https://example.com',
  sha: 'a'.repeat(40),
  ref: 'refs/heads/main',
  status: 'active',
  reasonCode: null,
  reason: null,
  notTaken: null,
  requestedAt: start,
  finishedAt: null,
  consoleUrl: 'http://console/i1',
  builds: [build],
  rollouts: [],
  previous: [],
  owed: [],
};
const built: BuildReport = { ...build, status: 'succeeded', startedAt: at(1_000), finishedAt: at(9_000) };
const running: RolloutReport = {
  ...rollout,
  stage: 'running',
  events: [...rollout.events, { stage: 'running', at: at(12_000) }],
};
const previous = [{ intentId: 'i0', sha: 'b'.repeat(40), finishedAt: start }];

const short = (writes: readonly Write[]) => writes.map(({ key }) => key.replace('intent:', ''));
const owed = (view: IntentReport, writes: readonly Write[]): IntentReport => ({
  ...view,
  owed: [...view.owed, ...writes],
});
type Payload<K> = Extract<Write, { kind: K }>['payload'];
function pick<K extends Write['kind']>(writes: readonly Write[], kind: K): Payload<K> {
  const found = writes.findLast((write) => write.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found.payload as Payload<K>;
}

/** What a deploy goes through, step by step; answers everything that was owed. */
function live(views: readonly IntentReport[]): Write[] {
  const writes: Write[] = [];
  for (const view of views) writes.push(...owedWrites(owed(view, writes), now));
  return writes;
}

describe('owedWrites', () => {
  const views: IntentReport[] = [
    intent,
    { ...intent, builds: [{ ...build, status: 'building', startedAt: at(1_000) }] },
    { ...intent, builds: [built], rollouts: [rollout] },
    { ...intent, builds: [built], rollouts: [{ ...rollout, stage: 'starting' }] },
    { ...intent, builds: [built], rollouts: [running], status: 'succeeded', finishedAt: at(12_000) },
  ];

  const sixWrites = [
    'i1:check:create',
    'i1:deployment:create',
    'i1:status:in_progress',
    'i1:check:live',
    'i1:status:final',
    'i1:check:final',
  ];

  it('tells a first deploy in six writes, in order', () => {
    expect(short(live(views))).toEqual(sixWrites);
  });

  it('P46: says in the writes that there are what of the commit was not taken, and writes none more', () => {
    const notTaken = 'How much services may use is said by landfall.yml on *main*: web runs with replicas 1 (not 2).';
    const writes = live(views.map((view) => ({ ...view, notTaken })));
    expect(short(writes)).toEqual(sixWrites);
    const summaries = writes.flatMap(({ payload: { body } }) => ('output' in body ? [body.output.summary] : []));
    expect(summaries).toHaveLength(3);
    for (const summary of summaries)
      expect(summary.split('\n')).toContainEqual(expect.stringMatching(/^How much .*on \\\*main/));
    const others = live(views).flatMap(({ payload: { body } }) => ('output' in body ? [body.output.summary] : []));
    expect(others.join()).not.toContain('How much');
  });

  it('spends its one live update on a build that takes long, with the end of its log, and never a seventh write', () => {
    const building = (ms: number): IntentReport => ({
      ...intent,
      builds: [{ ...build, status: 'building', startedAt: at(60_000 - ms), logTail: ['#4 RUN make', 'compiling'] }],
    });
    const [first, , ...rest] = views;
    const writes = live([first!, building(1_000), building(19_999), building(20_000), building(40_000), ...rest]);
    expect(short(writes)).toEqual(sixWrites);
    const shown = writes[3]?.kind === 'updateCheckRun' ? writes[3].payload.body.output : null;
    expect(shown).toMatchObject({
      title: 'Building',
      summary: expect.stringContaining('building for 20.0 s') as string,
    });
    expect(shown?.text).toContain('#4 RUN make\ncompiling');
    const redeploy = live([first!, building(40_000), ...rest].map((view) => ({ ...view, previous })));
    expect([redeploy.length, short(redeploy).includes('i1:check:live')]).toEqual([6, false]);
  });

  it.each([
    ['a first deploy', 0],
    ['a later one', 1],
  ])('tells of %s that no node can build it, once it has waited, and never spends a seventh write', (_what, count) => {
    const stuck: BuildReport = { ...build, reasonCode: 'no_build_node', reason: 'No node can build just now. None.' };
    let view: IntentReport = { ...intent, builds: [stuck], previous: previous.slice(0, count) };
    const sent: Write[] = [];
    const step = (change: Partial<IntentReport>, time: Date): Write[] => {
      view = { ...view, ...change };
      const writes = owedWrites(view, time);
      sent.push(...writes);
      view = owed(view, writes);
      return writes;
    };
    expect(short(step({}, at(5_000)))).toEqual(['i1:check:create', 'i1:deployment:create']);
    const [live] = step({}, at(25_000));
    expect(live?.key).toBe('intent:i1:check:live');
    const { body } = pick(sent, 'updateCheckRun');
    expect([body.status, body.output.title]).toEqual(['in_progress', 'Waiting for a node to build it']);
    expect(body.output.summary).toContain(
      'Since 2030-01-01 00:00 UTC the build of web waits: No node can build just now.',
    );
    expect(body.output.summary).toMatch(/What to do: Add a node/);
    expect(step({}, at(30_000))).toEqual([]);
    step({ builds: [{ ...build, status: 'building', startedAt: at(40_000) }] }, at(90_000));
    step({ builds: [built], rollouts: [running], status: 'succeeded', finishedAt: at(99_000) }, at(99_000));
    expect(sent).toHaveLength(maxWritesPerDeploy);
    expect(short(sent.slice(-1))).toEqual(['i1:check:final']);
  });

  it('opens the check run with nothing that the next minute makes untrue', () => {
    const { output } = pick(owedWrites(intent, now), 'createCheckRun').body;
    expect(output.title).toBe('Deploying to production');
    expect(output.summary).toContain('[log and timeline](http://console/i1)');
    expect(output.summary).not.toMatch(/queued|building|Waiting/);
  });

  it('P37: sets what it supersedes inactive itself, and still takes six writes', () => {
    const writes = live(views.map((view) => ({ ...view, previous })));
    expect(short(writes)).toEqual([
      'i1:check:create',
      'i1:deployment:create',
      'i1:status:in_progress',
      'i1:status:final',
      'i0:status:inactive',
      'i1:check:final',
    ]);
    const inactive = writes[4]?.payload;
    expect(inactive).toMatchObject({
      intentId: 'i0',
      body: { state: 'inactive', auto_inactive: false, description: 'Superseded by aaaaaaa' },
    });
  });

  it('P37: leaves the serving one active when this one fails', () => {
    const failed: IntentReport = {
      ...intent,
      status: 'failed',
      reasonCode: 'step_failed',
      reason: 'web: make failed',
      previous,
    };
    expect(short(live([intent, failed]))).toEqual([
      'i1:check:create',
      'i1:deployment:create',
      'i1:status:final',
      'i1:check:final',
    ]);
  });

  it('P36: creates the deployment of the full SHA, without merge and without required contexts', () => {
    expect(pick(owedWrites(intent, now), 'createDeployment').body).toEqual({
      ref: 'a'.repeat(40),
      task: 'deploy',
      auto_merge: false,
      required_contexts: [],
      environment: 'production',
      description: 'Deployed by Landfall',
      transient_environment: false,
      production_environment: true,
      payload: { landfall_intent: 'i1' },
    });
  });

  it('P11: says success when every service serves, and not when images are built', () => {
    const states = (view: IntentReport) =>
      owedWrites(view, now).flatMap((write) =>
        write.kind === 'createDeploymentStatus' ? write.payload.body.state : [],
      );
    expect(states({ ...intent, builds: [built] })).toEqual(['in_progress']);
    expect(states({ ...intent, builds: [built], status: 'succeeded' })).toEqual([]);
    for (const stage of rolloutStages) {
      const view: IntentReport = {
        ...intent,
        builds: [built],
        rollouts: [running, { ...running, service: 'api', stage }],
        status: 'succeeded',
      };
      expect(states(view)).toEqual(stage === 'running' ? ['success'] : []);
    }
  });

  it('does not say that a service without replicas serves', () => {
    const idle: RolloutReport = { ...running, service: 'jobs', replicas: 0 };
    const end = (rollouts: RolloutReport[]) => {
      const writes = owedWrites({ ...intent, builds: [built], rollouts, status: 'succeeded' }, now);
      const { title, summary } = pick(writes, 'updateCheckRun').body.output;
      const { description, environment_url: url } = pick(writes, 'createDeploymentStatus').body;
      return { title, description, url, summary };
    };
    const none = end([{ ...idle, service: 'web' }]);
    expect(none).toMatchObject({ description: 'Deployed to production, with no replicas', url: undefined });
    expect(none.title).toBe(none.description);
    expect(none.summary).toContain('Nothing runs: every service has replicas: 0.');
    expect(none.summary).not.toContain('Serving at');
    const some = end([running, idle]);
    expect(some).toMatchObject({ title: 'Deployed to production', url: 'https://example.com' });
    expect(some.summary).toContain('Every service serves, except with replicas: 0: jobs.');
  });

  it('links the log and, once it serves, the environment', () => {
    const writes = live(views);
    const statuses = writes.flatMap((write) => (write.kind === 'createDeploymentStatus' ? write.payload.body : []));
    expect(statuses.map(({ log_url }) => log_url)).toEqual(['http://console/i1', 'http://console/i1']);
    expect(statuses.map(({ environment_url }) => environment_url)).toEqual([undefined, 'https://example.com']);
  });

  it.each([
    ['failed', 'step_failed', 'failure', 'failure'],
    ['failed', 'crash_loop', 'failure', 'failure'],
    ['failed', 'builder_lost', 'error', 'failure'],
    ['superseded', 'superseded', 'inactive', 'cancelled'],
    ['cancelled', 'repository_removed', 'inactive', 'cancelled'],
  ] as const)('ends %s with %s as %s and %s', (status, reasonCode, state, conclusion) => {
    const writes = live([intent, { ...intent, status, reasonCode, reason: 'web: why', finishedAt: at(5_000) }]);
    expect(pick(writes, 'createDeploymentStatus').body).toMatchObject({ state, description: 'web: why' });
    expect(pick(writes, 'updateCheckRun').body).toMatchObject({
      status: 'completed',
      conclusion,
      completed_at: '2030-01-01T00:00:05.000Z',
    });
  });

  it('writes nothing twice', () => {
    expect(live([...views, views.at(-1)!, views.at(-1)!])).toHaveLength(6);
  });

  it('replaces a pending update by a later one, and never a create', () => {
    const keys = live(views).map(({ coalesceKey }) => coalesceKey);
    expect(keys).toEqual([null, null, 'intent:i1:status', 'intent:i1:check', 'intent:i1:status', 'intent:i1:check']);
  });

  it('never costs more than six writes, goes forward only, and keeps to the schemas, whatever happens', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constant('x'.repeat(90_000)),
      fc.constant('```\n| <b>'),
    );
    const step = fc.record({
      status: fc.constantFrom('active', 'active', 'active', 'succeeded', 'failed', 'cancelled', 'superseded'),
      buildStatus: fc.constantFrom('queued', 'building', 'succeeded', 'failed'),
      stage: fc.option(fc.constantFrom(...rolloutStages)),
      reasonCode: fc.constantFrom(null, 'crash_loop', 'internal', 'not a code'),
      reason: fc.option(text),
      log: fc.array(text, { maxLength: 5 }),
      annotations: fc.array(
        fc.record({
          path: fc.constant('Dockerfile'),
          line: fc.integer({ min: 1, max: 9 }),
          endLine: fc.constant(1),
          message: text,
        }),
        { maxLength: 60 },
      ),
    });
    const earlier = fc.uniqueArray(fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), earlier, (steps, ids) => {
        const taken = ids.map((intentId) => ({ intentId, sha: 'c'.repeat(40), finishedAt: null }));
        const writes = live([
          { ...intent, previous: taken },
          ...steps.map(({ status, buildStatus, stage, reasonCode, reason, log, annotations }) => ({
            ...intent,
            status,
            reasonCode,
            reason,
            previous: taken,
            builds: [{ ...build, status: buildStatus, reason, logTail: log, annotations }],
            rollouts: stage === null ? [] : [{ ...rollout, stage, reason, lastLog: log }],
          })),
        ]);
        expect(writes.length).toBeLessThanOrEqual(maxWritesPerDeploy);
        expect(new Set(writes.map(({ key }) => key)).size).toBe(writes.length);
        const states = writes.filter(({ kind }) => kind === 'createDeploymentStatus').map(({ key }) => key);
        expect(states.indexOf('intent:i1:status:in_progress')).toBeLessThanOrEqual(0);
        for (const write of writes) {
          expect([...Value.Errors(writePayloads[write.kind], write.payload)]).toEqual([]);
          if (!('output' in write.payload.body)) continue;
          const { summary, text: shown = '' } = write.payload.body.output;
          expect(Math.max(Buffer.byteLength(summary), Buffer.byteLength(shown))).toBeLessThanOrEqual(65_535);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('movedWrites', () => {
  const told = 'http://10.70.0.2:8080/';
  const url = 'http://10.70.0.9:8080/';
  const ended: IntentReport = {
    ...intent,
    status: 'succeeded',
    builds: [built],
    rollouts: [running],
    environmentUrl: url,
  };

  it('names the new address on the deployment and its check run, under keys of the rollout', () => {
    const writes = movedWrites(ended, { told, rolloutId: 'r2' }, now);
    expect(short(writes)).toEqual(['i1:status:moved:r2', 'i1:check:moved:r2']);
    for (const { kind, payload } of writes) expect([...Value.Errors(writePayloads[kind], payload)]).toEqual([]);
    expect(pick(writes, 'createDeploymentStatus').body).toMatchObject({ state: 'success', environment_url: url });
    const { body } = pick(writes, 'updateCheckRun');
    expect([body.status, body.conclusion]).toEqual(['completed', 'success']);
    expect(body.output.summary).toContain('Serving at http://10.70.0.9:8080/');
  });

  it('has nothing to say of the same address, or of none', () => {
    expect(movedWrites(ended, { told: url, rolloutId: 'r2' }, now)).toEqual([]);
    expect(movedWrites({ ...ended, environmentUrl: null }, { told, rolloutId: 'r2' }, now)).toEqual([]);
  });

  it('still names the address when the rollouts of the deploy are history', () => {
    const writes = movedWrites({ ...ended, rollouts: [] }, { told, rolloutId: 'r2' }, now);
    expect(short(writes)).toEqual(['i1:status:moved:r2']);
    expect(pick(writes, 'createDeploymentStatus').body).toMatchObject({
      ...{ environment_url: url, description: 'Deployed to production' },
    });
  });
});

describe('the check run', () => {
  /** Of a deploy whose rollout found no room. */
  const summaryOf = (change: Partial<RolloutReport>) => {
    const waits: RolloutReport = { ...rollout, reasonCode: 'no_capacity', reason: 'No node has room.', ...change };
    const status = change.stage === 'failed' ? 'failed' : 'active';
    return pick(owedWrites({ ...intent, status, builds: [built], rollouts: [waits] }, now), 'updateCheckRun').body
      .output;
  };

  it('tells services, stages, reason and the end of the log', () => {
    const lastLog = ['listening', 'panic: ``` oh'];
    const ended: RolloutReport = {
      ...rollout,
      stage: 'rolled_back',
      reason: 'Replica 0 on one: exit code 2',
      lastLog,
      events: [...rollout.events, { stage: 'rolled_back', at: at(15_000) }],
    };
    const view: IntentReport = {
      ...intent,
      status: 'failed',
      reasonCode: 'crash_loop',
      reason: 'web: Replica 0 on one: exit code 2',
      builds: [built],
      rollouts: [ended],
    };
    const { output } = pick(live([intent, view]), 'updateCheckRun').body;
    expect(output.title).toBe('Rolled back: the previous release goes on serving');
    expect(output.summary).toBe(
      [
        '**production** · `aaaaaaa` of main · [log and timeline](http://console/i1)',
        'web: Replica 0 on one: exit code 2',
        'What to do: Read its last lines and fix what ends it.',
        '| Service | Build | Rollout |\n|---|---|---|\n| web | succeeded in 8.0 s | rolled\\_back after 5.0 s: Replica 0 on one: exit code 2 |',
        '| Service | Stage | After |\n|---|---|---|\n| web | pending | 2030-01-01T00:00:10.000Z |\n| web | pulling | 0.2 s |\n| web | rolled\\_back | 4.8 s |',
      ].join('\n\n'),
    );
    expect(output.text).toBe('### Last lines of web\n\n````text\nlistening\npanic: ``` oh\n````');
  });

  it('counts the time that a rollout waited for room', () => {
    const { summary } = summaryOf({ stage: 'failed', events: [{ stage: 'failed', at: at(50_000) }] });
    expect(summary).toContain('| web | succeeded in 8.0 s | failed after 40.0 s: No node has room. |');
  });

  it('annotates the lines of a failed build, at most fifty', () => {
    const annotations = Array.from({ length: 60 }, (_, index) => ({
      path: 'Dockerfile',
      line: index + 1,
      endLine: 1,
      message: 'RUN make',
    }));
    const view: IntentReport = {
      ...intent,
      status: 'failed',
      reasonCode: 'step_failed',
      reason: 'x',
      builds: [{ ...build, status: 'failed', annotations }],
    };
    const { output } = pick(live([intent, view]), 'updateCheckRun').body;
    expect(output.annotations).toHaveLength(50);
    expect(output.annotations?.[9]).toEqual({
      path: 'Dockerfile',
      start_line: 10,
      end_line: 10,
      annotation_level: 'failure',
      message: 'RUN make',
    });
  });

  it('P17: does not depend on the order of services', () => {
    const [api, web] = [{ ...running, service: 'api' }, running];
    const [apiBuild, webBuild] = [{ ...built, service: 'api' }, built];
    const one = owedWrites({ ...intent, status: 'succeeded', builds: [apiBuild, webBuild], rollouts: [api, web] }, now);
    const other = owedWrites(
      { ...intent, status: 'succeeded', builds: [webBuild, apiBuild], rollouts: [web, api] },
      now,
    );
    expect(one).toEqual(other);
  });
});
