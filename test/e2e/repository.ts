/** A repository at the sandbox with a clone on disk: changed on disk, pushed with the real git. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Control } from '../../sandbox/control/commands.ts';
import { part } from '../parts.ts';

const run = promisify(execFile);

/** Text by path; null removes the file. */
export type Files = Record<string, string | null>;

export interface TestRepository {
  id: number;
  /** `owner/name` */
  fullName: string;
  directory: string;
  git(...args: string[]): Promise<string>;
  /** Gives the new commit. */
  commit(files: Files): Promise<string>;
  /** Commits and pushes the branch that is checked out. Gives the new commit. */
  push(files: Files): Promise<string>;
}

const dockerfile = `FROM scratch
COPY busybox /bin/busybox
COPY www /www
EXPOSE 8080
STOPSIGNAL SIGKILL
CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
`;

/** A page that busybox serves from an image without a base. `environment` are further lines below `production:`. */
export function app(page: string, { environment = '', service = '', build = '' } = {}): Files {
  const config = [
    'services:',
    '  web:',
    '    port: 8080',
    '    health: { path: /index.html, interval: 200ms }',
    '    resources: { cpu: 0.1, memory: 16Mi }',
    ...lines(build).map((line) => `    ${line}`),
    ...lines(service).map((line) => `    ${line}`),
    'environments:',
    '  production:',
    '    branch: main',
    ...lines(environment).map((line) => `    ${line}`),
  ];
  return { Dockerfile: dockerfile, 'landfall.yml': `${config.join('\n')}\n`, 'www/index.html': page };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** One image of the same page for each of these services, built for each, for some seconds. */
export function severalServices(names: readonly string[]): Files {
  const services = names.flatMap((name) => [
    `  ${name}:`,
    '    port: 8080',
    '    health: { path: /index.html, interval: 200ms }',
    '    resources: { cpu: 0.1, memory: 16Mi }',
    `    build: { dockerfile: ${name}.Dockerfile }`,
  ]);
  const config = ['services:', ...services, 'environments:', '  production:', '    branch: main', ''];
  const dockerfiles = names.map((name) => [`${name}.Dockerfile`, slowDockerfile(2)]);
  const files = Object.fromEntries(dockerfiles) as Files;
  return { ...files, 'landfall.yml': config.join('\n'), 'www/index.html': 'several' };
}

/** The same image, after a step that runs for so many seconds, and that no build before has had. */
export function slowDockerfile(seconds: number): string {
  const step = `RUN ["/bin/busybox", "env", "ONCE=${randomUUID()}", "/bin/busybox", "sleep", "${seconds}"]\n`;
  return dockerfile.replace('COPY www', `${step}COPY www`);
}

/** The same image, after a step that fails with these last words. */
export function failingDockerfile(words: string): string {
  return dockerfile.replace('COPY www', `${shellStep(`echo ${words}; exit 3`)}COPY www`);
}

/** A step of a Dockerfile. */
export function shellStep(script: string): string {
  return `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(script)}]\n`;
}

/** An image that runs this command of busybox instead. */
export function commandDockerfile({ command }: { command: readonly string[] }): string {
  return dockerfile.replace(/CMD .*/, () => `CMD ${JSON.stringify(['/bin/busybox', ...command])}`);
}

export async function makeRepository(
  sandbox: Control,
  { owner = 'acme', name, directory }: { owner?: string; name: string; directory: string },
): Promise<TestRepository> {
  const { id, fullName } = await sandbox.createRepository({ owner, name, defaultBranch: 'main', private: true });
  const { url } = await sandbox.pushToken({ repositoryId: id, login: 'ada' });
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', directory, ...args], { timeout: 60_000 });
    return stdout.trim();
  };
  await mkdir(directory, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Ada');
  await git('config', 'user.email', 'ada@example.com');
  await git('remote', 'add', 'origin', url);
  await copyFile(await part('busybox'), path.join(directory, 'busybox'));
  await chmod(path.join(directory, 'busybox'), 0o755);
  const commit = async (files: Files): Promise<string> => {
    await writeFiles(directory, files);
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', 'A change');
    return git('rev-parse', 'HEAD');
  };
  return {
    id,
    fullName,
    directory,
    git,
    commit,
    async push(files) {
      const sha = await commit(files);
      await git('push', '--quiet', 'origin', 'HEAD');
      return sha;
    },
  };
}

async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    if (text === null) await rm(file, { force: true });
    else {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }
}
