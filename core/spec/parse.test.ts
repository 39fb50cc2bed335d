import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { ProjectConfig } from './config.ts';
import { defaultService } from './defaults.ts';
import { parseProjectConfig } from './parse.ts';

const parse = (text: string) => parseProjectConfig(text, 'landfall.yml');

function config(text: string): ProjectConfig {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.config;
}

function issues(text: string): string[] {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.issues.map(({ line, message }) => `${line} ${message}`);
}

describe('parseProjectConfig', () => {
  it('fills in every default', () => {
    const expected = {
      services: { web: defaultService },
      environments: { production: { branch: null, url: null, env: {}, services: {} } },
    };
    for (const text of ['', 'version: 1', 'services: {web: }', '# only a comment']) {
      expect(config(text)).toEqual(expected);
    }
  });

  it('reads every key', () => {
    const read = config(`
version: 1
services:
  web:
    build: { context: ./app/, dockerfile: docker/web.Dockerfile, target: final, args: { NODE: 20 }, timeout: 10m }
    port: 3000
    health: { path: /healthz, interval: 1s, timeout: 500ms, grace: 1m30s, healthy_after: 2, unhealthy_after: 4 }
    resources: { cpu: 0.5, memory: 256Mi, pids: 64 }
    env: { MODE: live, RATIO: 1.10, ON: true }
    secrets: [TOKEN, KEY, TOKEN]
    replicas: 2
    command: node 'my server.js'
    stop_grace: 5s
    deadline: 2m
  jobs:
    build: jobs
    port: none
    command: [sh, -c, "a && b"]
    health: { command: test -f /ready }
environments:
  production: { branch: main, url: https://example.com, env: { MODE: prod } }
  staging:
    branch: feature/next
    services: { web: { replicas: 1, env: { MODE: stage }, resources: { cpu: 100m } } }
`);
    expect(Value.Check(ProjectConfig, read)).toBe(true);
    expect(read.services['web']).toEqual({
      build: {
        kind: 'dockerfile',
        context: 'app',
        dockerfile: 'docker/web.Dockerfile',
        target: 'final',
        args: { NODE: '20' },
        timeoutMs: 600_000,
      },
      port: 3000,
      health: {
        kind: 'http',
        path: '/healthz',
        intervalMs: 1_000,
        timeoutMs: 500,
        graceMs: 90_000,
        healthyAfter: 2,
        unhealthyAfter: 4,
      },
      resources: { cpuMillis: 500, memoryBytes: 268_435_456, pids: 64 },
      env: { MODE: 'live', RATIO: '1.10', ON: 'true' },
      secrets: ['KEY', 'TOKEN'],
      replicas: 2,
      command: ['node', 'my server.js'],
      stopGraceMs: 5_000,
      deadlineMs: 120_000,
    });
    expect(read.services['jobs']).toMatchObject({
      build: { context: 'jobs', dockerfile: 'jobs/Dockerfile' },
      port: null,
      command: ['sh', '-c', 'a && b'],
      health: { kind: 'command', command: ['test', '-f', '/ready'] },
    });
    expect(read.environments['staging']).toEqual({
      branch: 'feature/next',
      url: null,
      env: {},
      services: { web: { replicas: 1, env: { MODE: 'stage' }, resources: { cpuMillis: 100 } } },
    });
  });

  it.each([
    ['nothing is asked', 'port: none, health: { interval: 1s }', { kind: 'running', graceMs: 2_000 }],
    ['nothing is asked, and it is said', 'port: none, health: { grace: 9s }', { kind: 'running', graceMs: 9_000 }],
    ['a command is', 'port: none, health: { command: ok }', { kind: 'command', graceMs: 30_000 }],
    ['a port is', 'health: { interval: 1s }', { kind: 'tcp', graceMs: 30_000 }],
  ])('gives the grace that fits when %s', (_what, service, health) => {
    expect(config(`services: { web: { ${service} } }`).services['web']?.health).toMatchObject(health);
  });

  it('follows aliases', () => {
    const read = config('services:\n  a: { env: &env { X: y } }\n  b: { env: *env }');
    expect(read.services['b']?.env).toEqual({ X: 'y' });
  });

  it('merges what a merge key names: own keys go first, then the first of a list', () => {
    const read = config(`
x-small: &small { replicas: 1, resources: { cpu: 0.1 } }
x-live: &live { replicas: 3, port: 80, env: { A: live } }
services:
  a: { <<: *small, port: 3000 }
  b: { port: 3000, <<: *small, replicas: 2 }
  c: { <<: [*live, *small], env: { B: c } }
  d: { <<: { <<: *small, replicas: 5 } }
environments:
  production: { env: &env { X: y, Z: z } }
  staging: { branch: develop, env: { <<: *env, X: n } }
`);
    expect(read.services['a']).toMatchObject({ replicas: 1, port: 3000, resources: { cpuMillis: 100 } });
    expect(read.services['b']).toMatchObject({ replicas: 2, port: 3000, resources: { cpuMillis: 100 } });
    expect(read.services['c']).toMatchObject({ replicas: 3, port: 80, env: { B: 'c' }, resources: { cpuMillis: 100 } });
    expect(read.services['d']).toMatchObject({ replicas: 5, resources: { cpuMillis: 100 } });
    expect(read.environments['staging']?.env).toEqual({ X: 'n', Z: 'z' });
  });

  it('merges services and environments by name', () => {
    const read = config('x-all: &all { a: { port: 1 }, b: { port: 2 } }\nservices: { <<: *all, b: { port: 3 } }');
    expect(read.services).toMatchObject({ a: { port: 1 }, b: { port: 3 } });
  });

  it('says what is wrong in what is merged where it stands', () => {
    expect(issues('x-a: &a\n  prot: 1\nservices:\n  web:\n    <<: *a')).toEqual([
      '2 services.web: unknown key "prot"; did you mean port?',
    ]);
  });

  it('does not read free keys at the top', () => {
    expect(config('x-anything: [1, { a: b }]\nx-: 2').services['web']).toEqual(defaultService);
  });

  it('says everything that is wrong at once, each at its line', () => {
    const text = `services:
  web:
    prot: 80
    replicas: many
    resources:
      memory: 256
  Bad_Name: {}
environments:
  production:
    branch: refs/heads/main
    services:
      wbe: { replicas: 2 }
`;
    expect(issues(text)).toEqual([
      '3 services.web.prot: unknown key'.replace('.prot:', ':') + ' "prot"; did you mean port?',
      '4 services.web.replicas: expected a whole number from 0 to 100',
      '6 services.web.resources.memory: expected a size of at least 4Mi, such as 256Mi',
      '7 services: "Bad_Name" is not a name: lower-case letters, digits and dashes, a letter first, at most 63',
      '10 environments.production.branch: give the name of the branch alone, without refs/heads/',
      '12 environments.production.services.wbe: there is no such service; did you mean web?',
    ]);
  });

  it.each([
    ['a list', '- a', '1 expected a mapping of keys and values'],
    ['a text', 'hello', '1 expected a mapping of keys and values'],
    ['an unknown version', 'version: 2', '1 version: expected 1'],
    ['no service', 'services: {}', '1 services: names no service; leave it out to deploy the Dockerfile at the root'],
    ['two checks', 'services: {a: {health: {path: /, tcp: true}}}', 'give one of path, tcp and command'],
    ['a check without a port', 'services: {a: {port: none, health: {tcp: true}}}', 'without a port there is only'],
    ['a way out', 'services: {a: {build: ../x}}', 'services.a.build: the path leaves the repository'],
    ['a way out inside', 'services: {a: {build: {dockerfile: x/../../y}}}', 'the path leaves the repository'],
    ['an absolute path', 'services: {a: {build: /etc}}', 'give a path relative to the root'],
    ['a shell line', 'services: {a: {command: a && b}}', 'no shell reads this'],
    [
      'a command beyond measure',
      `services: {a: {command: "${'a '.repeat(20_000)}"}}`,
      'is longer than 32768 characters',
    ],
    ['an empty command', 'services: {a: {command: []}}', 'the command is empty'],
    ['a pattern', 'environments: {a: {branch: "release/*"}}', 'patterns are not taken'],
    ['an option for a branch', 'environments: {a: {branch: --upload-pack=x}}', 'expected the name of a branch'],
    ['an address', 'environments: {a: {url: "javascript:alert(1)"}}', 'expected an address such as'],
    ['a variable', 'services: {a: {env: {1X: y}}}', '"1X" is not a variable'],
    ['a variable without a value', 'services: {a: {env: {X: }}}', 'env.X: expected a text, a number or a boolean'],
    ['a name twice', 'services: {a: {secrets: [X], env: {X: y}}}', 'X is both a secret and a variable'],
    ['a merge key in quotes', 'services: {a: {"<<": {port: 1}}}', 'unknown key "<<"'],
    ['a merge of a text', 'services: {a: {<<: b}}', 'services.a.<<: expected a mapping to merge, or a list of them'],
    ['a merge of nothing', 'services: {a: {<<: }}', 'services.a.<<: expected a mapping to merge'],
    ['a merge of a list of texts', 'services: {a: {<<: [{port: 1}, b]}}', 'services.a.<<: expected a mapping'],
    ['a merge of what is not there', 'services: {a: {<<: *gone}}', 'nothing before this is named &gone'],
    ['two merge keys', 'services: {a: {<<: {port: 1}, <<: {replicas: 1}}}', '1 This is not valid YAML'],
    ['a free key that is not at the top', 'services: {a: {x-b: 1}}', 'unknown key "x-b"'],
    ['a key twice', 'version: 1\nversion: 1', '2 This is not valid YAML: Map keys must be unique'],
    ['a key twice where nothing reads', 'x-a:\n- {b: 1,\n  b: 2}', '3 This is not valid YAML: Map keys must be unique'],
    ['bad YAML', 'services: [', '1 This is not valid YAML'],
    ['two documents', 'version: 1\n---\nversion: 1', 'This is not valid YAML'],
    ['an unknown alias', 'services: *gone', '1 services: nothing before this is named &gone'],
    ['a prototype', 'services: {constructor: {}, a: {toString: 1}}', 'unknown key "toString"'],
  ])('refuses %s', (_what, text, message) => {
    expect(issues(text).join('\n')).toContain(message);
  });

  it('refuses what is too long, too deep or too often repeated', () => {
    expect(issues(`# ${'x'.repeat(200_000)}`)).toEqual(['1 The file is longer than 131072 characters.']);
    for (const deep of ['['.repeat(60_000), '{a: '.repeat(30_000), '- '.repeat(60_000)]) {
      expect(issues(deep)).toEqual(['1 The file is nested deeper than 30 levels.']);
    }
    const services = Array.from({ length: 40 }, (_, i) => `s${i}: *s`).join(', ');
    const variables = Array.from({ length: 100 }, (_, i) => `V${i}: x`).join(', ');
    const environments = Array.from({ length: 40 }, (_, i) => `e${i}: *e`).join(', ');
    const bomb = `environments: { a: &e { services: { a: &s { env: { ${variables} } }, ${services} } }, ${environments} }`;
    expect(bomb.length).toBeLessThan(2_500);
    expect(issues(bomb)).toEqual(['1 The file holds too much, or repeats itself too often through aliases.']);
  });

  const many = (count: number, item: (index: number) => string, separator = ', '): string =>
    Array.from({ length: count }, (_, index) => item(index)).join(separator);
  const known = many(50, (i) => `${'a'.repeat(58)}${i}: {}`);
  const others = many(50, (i) => `${'b'.repeat(58)}${i}: {}`);
  const manyKeys = (count: number): string => many(count, (i) => `k${i}`, ',');
  const tooMuch = '1 The file holds too much, or repeats itself too often through aliases.';
  it.each([
    ['keys', `x-a: {${manyKeys(20_000)}}`, tooMuch],
    ['keys, as many as may be', `x-a: {${manyKeys(9_000)}}\nb: 1`, '2 unknown key "b"; known here: version'],
    ['keys of a service', `services: { web: {${manyKeys(9_000)}} }`, '1 services.web: unknown key "k0"; known here'],
    ['keys, again and again', `x-a: &a {${manyKeys(8_000)}}\nservices: {${many(49, (i) => `s${i}: *a`)}}`, tooMuch],
    ['commas', `x-a: [${','.repeat(120_000)}]`, tooMuch],
    ['commas, as many as may be', `x-a: [${','.repeat(35_000)}]`, '1 This is not valid YAML: Unexpected ,'],
    ['aliases', `x-a: &a {}\nservices: {<<: [${many(25_000, () => '*a')}]}`, tooMuch],
    [
      'a key as long as the file',
      `services: { web: {? ${'k'.repeat(130_000)} : 1} }`,
      '1 services.web: unknown key "kkk',
    ],
    [
      'services that are not there',
      `services: {${known}}\nenvironments: {${many(30, (i) => `e${i}: { services: {${others}} }`)}}`,
      '2 environments.e0.services.bbb',
    ],
  ])('is done in time with %s', (_what, text, message) => {
    const [first, ...more] = issues(text);
    expect(first).toContain(message);
    expect(first?.length).toBeLessThan(10_000);
    expect(more.length).toBeLessThan(100);
  });

  const doublings = Array.from({ length: 15 }, (_, i) => `x-${i + 1}: &a${i + 1} { <<: [*a${i}, *a${i}] }`);
  it.each([
    ['doubles itself', `x-0: &a0 { port: 1 }\n${doublings.join('\n')}\nservices: { web: { <<: *a15 } }`],
    ['merges itself', 'services: { web: &web { <<: *web } }'],
    ['merges itself twice', 'x-a: &a { <<: [*a, *a], port: 1 }\nservices: { web: *a }'],
    [
      'merges much many times',
      `x-a: &a { ${Array.from({ length: 500 }, (_, i) => `V${i}: x`).join(', ')} }\nservices: { web: { env: { <<: [${Array.from({ length: 60 }, () => '*a').join(', ')}] } } }`,
    ],
  ])('refuses what %s through merge keys', (_what, text) => {
    expect(issues(text)).toEqual(['1 The file holds too much, or repeats itself too often through aliases.']);
  });

  it('never throws, and every issue has a line of the file', () => {
    const word = fc.constantFrom(
      'services',
      'web',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '*a',
      '&a ',
      '"',
      "'",
      '|',
      '<<',
      '<<: *a',
      'x-a',
      '5s',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
        ),
        (text) => {
          const parsed = parse(text);
          if (parsed.ok) return Value.Check(ProjectConfig, parsed.config);
          const last = text.split(/\n/).length;
          return (
            parsed.issues.length > 0 && parsed.issues.every((i) => i.line >= 1 && i.endLine >= i.line && i.line <= last)
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
