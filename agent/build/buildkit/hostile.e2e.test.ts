import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { hostileFileName, hostileText, hostileWords, pwned } from '../../../test/hostile/names.ts';
import { useBuildKit } from '../../../test/agent/suite.ts';
import { part } from '../../../test/parts.ts';
import { buildDockerfile, type DockerfileBuild } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import type { ProgressEvent } from './progress.ts';
import { temporaryFolder, writeBusyboxContext } from './testing.ts';

const buildkit = useBuildKit();
let busybox: string;

beforeAll(async () => {
  busybox = await part('busybox');
});

interface Wanted {
  /** After those that bring busybox. */
  instructions: readonly string[];
  contextDir?: string;
  dockerfile?: string;
  /** By path below the context. */
  files?: ReadonlyMap<string, string>;
  order?: Partial<DockerfileBuild>;
}

/** What the steps print. */
async function printed({
  instructions,
  contextDir = '.',
  dockerfile,
  files = new Map(),
  order,
}: Wanted): Promise<string> {
  const sourceDir = await temporaryFolder('hostile');
  const events: ProgressEvent[] = [];
  try {
    const context = join(sourceDir, contextDir);
    await writeBusyboxContext(context, busybox, instructions);
    for (const [path, content] of files) {
      await mkdir(join(context, path, '..'), { recursive: true });
      await writeFile(join(context, path), content);
    }
    if (dockerfile !== undefined)
      await writeFile(
        join(context, dockerfile),
        ['FROM scratch', 'COPY bin/sh /bin/sh', ...instructions, ''].join('\n'),
      );
    await buildDockerfile(buildkit.client, {
      ...{
        sourceDir,
        contextDir,
        dockerfile: join(contextDir, dockerfile ?? 'Dockerfile'),
        target: null,
        buildArgs: {},
      },
      ...{ labels: {}, image: { name: 'hostile', push: false, insecure: true }, cache: { imports: [], exports: [] } },
      ...{ secrets: {}, registryAuth: () => undefined, onProgress: (event) => events.push(event) },
      signal: AbortSignal.timeout(60_000),
      ...order,
    });
    expect(existsSync(join(context, pwned)) || existsSync(join(process.cwd(), pwned))).toBe(false);
  } finally {
    await rm(sourceDir, { recursive: true, force: true });
  }
  const said = events.flatMap((event) => (event.kind === 'log' ? [Buffer.from(event.data)] : []));
  return Buffer.concat(said).toString('utf8');
}

const words = (text: string): string[] => text.split('\0').slice(0, -1);

describe('P66: BuildKit takes for what it is', () => {
  it('every name in a context', async () => {
    const names = hostileWords.filter((word) => !word.includes('/'));
    const files = new Map(names.map((name) => [`tree/${name}/${name}`, `${name}\0`]));
    const list = 'RUN ["/bin/sh", "-c", "cd /tree && find . -type f -print0 && find . -type f -exec cat {} +"]';
    const said = words(await printed({ instructions: ['COPY tree /tree', list], files }));
    expect(said.toSorted()).toEqual([...names, ...names.map((name) => `./${name}/${name}`)].toSorted());
  });

  it('the folder of a context and the name of a Dockerfile', async () => {
    const tried = fc.asyncProperty(hostileFileName, hostileFileName, async (folder, file) => {
      const instructions = ['RUN ["/bin/sh", "-c", "echo built"]'];
      const outcome = await printed({ instructions, contextDir: folder, dockerfile: file }).catch(problemOf);
      expect(['built\n', '']).toContain(outcome);
    });
    await fc.assert(tried, {
      numRuns: 12,
      examples: [
        ['line\nbreak', 'tab\there'],
        ['tab\there', 'Dockerfile'],
        ['-rf', `$(touch ${pwned})`],
        ['a,b=c', 'x:y'],
        ['..a', '#'],
        ['[a]', '[a]'],
        ['-', '\\'],
        ['-', '!1-'],
        ['*', ' a'],
        ['?', 'line\nbreak'],
      ],
    });
  });

  it('the values of build arguments', async () => {
    const buildArgs = Object.fromEntries(hostileWords.map((word, index) => [`V${index}`, word]));
    const names = Object.keys(buildArgs);
    const print = names.map((name) => `\\"$${name}\\"`).join(' ');
    const instructions = [...names.map((name) => `ARG ${name}`), `RUN ["/bin/sh", "-c", "printf '%s\\\\0' ${print}"]`];
    expect(words(await printed({ instructions, order: { buildArgs } }))).toEqual(hostileWords);
  });

  it('the name of a stage', async () => {
    const tried = fc.asyncProperty(hostileText, async (target) => {
      expect(await printed({ instructions: [], order: { target } }).catch(problemOf)).toBe('dockerfile-invalid');
    });
    await fc.assert(tried, { numRuns: 10 });
  });
});

function problemOf(error: unknown): string {
  if (error instanceof BuildError) return error.problem.kind;
  throw error;
}
