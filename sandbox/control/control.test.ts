import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../server.ts';
import { controlToken, git, sandboxOptions, temporaryFolder } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';
import { connectSandbox } from './client.ts';
import { commands } from './commands.ts';
import { commandNames } from './names.ts';

const stage = useStage();

it('names every command that exists', () => {
  expect([...commandNames].sort()).toEqual(Object.keys(commands).sort());
});

describe('the control API', () => {
  it('does from another process what the sandbox does in this one', async () => {
    const remote = connectSandbox({ url: stage.sandbox.url, token: controlToken });
    const repository = await remote.createRepository({ owner: 'acme', name: 'remote', files: { a: 'a' } });
    expect(await remote.listRepositories({})).toContainEqual(repository);
    const { id } = await remote.setFault({ kind: 'lose', match: 'push', times: 3 });
    expect(await remote.listFaults({})).toMatchObject([{ id, kind: 'lose', applied: 0 }]);
    await remote.clearFaults({});
    const { url } = await remote.pushToken({ repositoryId: repository.id, login: 'newcomer' });
    expect(await git(stage.folder, 'ls-remote', url)).toContain('refs/heads/main');
  });

  it('counts the writes that a deploy costs, without the tokens it took', async () => {
    const remote = connectSandbox({ url: stage.sandbox.url, token: controlToken });
    await remote.resetRequests({});
    const repo = { owner: stage.owner, repo: stage.repo };
    await stage.octokit.rest.repos.get(repo);
    await stage.octokit.rest.repos.createDeployment({ ...repo, ref: 'main' });
    const writes = await remote.listWrites({});
    expect(writes).toMatchObject([{ operation: 'repos/create-deployment', status: 201, actor: 'landfall[bot]' }]);
    expect((await remote.listRequests({})).length).toBeGreaterThan(writes.length);
    const shown = await remote.inspectRepository({ repositoryId: stage.repositoryId });
    expect(shown.deployments).toHaveLength(1);
  });

  it('says what it cannot do', async () => {
    const remote = connectSandbox({ url: stage.sandbox.url, token: controlToken });
    await expect(remote.deleteRepository({ repositoryId: 1 })).rejects.toThrow(/no repository with id 1/);
    await expect(remote.createRepository({ owner: 'acme', name: '../x' })).rejects.toThrow(/cannot be a repository/);
    await expect(remote.createRepository({ owner: 'acme', name: 'shop' })).rejects.toThrow(/exists/);
    await expect(remote.createRepository({ owner: 'acme' } as never)).rejects.toThrow(/name/);
  });

  it('takes nothing but JSON, so that no other page can drive it', async () => {
    const send = (headers: Record<string, string>, body: string) =>
      fetch(`${stage.sandbox.url}/_sandbox/clearFaults`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${controlToken}` },
        body,
      });
    expect((await send({ 'content-type': 'text/plain' }, '{}')).status).toBe(415);
    expect((await send({ 'content-type': 'application/x-www-form-urlencoded' }, '')).status).toBe(415);
    expect((await send({ 'content-type': 'application/json' }, '{}')).status).toBe(200);
  });
});

describe('whoever lacks its token', () => {
  const ask = (headers: Record<string, string>, path = 'pushToken') =>
    fetch(`${stage.sandbox.url}/_sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ repositoryId: stage.repositoryId }),
    });

  it.each([
    {},
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${controlToken}x` },
    { authorization: `Basic ${controlToken}` },
    { cookie: `token=${controlToken}` },
  ])('commands nothing, and learns nothing of what it asked for: %j', async (headers) => {
    const answer = await ask(headers);
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringMatching(/token/)]);
    const wrong = await fetch(`${stage.sandbox.url}/_sandbox/health`, { headers });
    expect(wrong.status).toBe(401);
  });

  it('is told apart from who has it', async () => {
    expect((await ask({ authorization: `Bearer ${controlToken}` })).status).toBe(200);
  });
});

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

function runMain(config: string) {
  return spawn(process.execPath, ['--import', 'tsx', main, config], { stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('as a process of its own', () => {
  it('says when it is ready, and ends on SIGTERM with its state kept', async () => {
    const folder = await temporaryFolder();
    const config = join(folder.path, 'sandbox.json');
    await writeFile(config, JSON.stringify(sandboxOptions(join(folder.path, 'data'))));
    const child = runMain(config);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const ready = JSON.parse(line.toString()) as { ready: boolean; url: string; apiUrl: string };
    expect(ready).toEqual({ ready: true, url: ready.url, apiUrl: `${ready.url}/api/v3` });
    await connectSandbox({ url: ready.url, token: controlToken }).createRepository({
      owner: 'acme',
      name: 'shop',
      files: { a: 'a' },
    });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    const resumed = await startSandbox(sandboxOptions(join(folder.path, 'data')));
    expect(await resumed.listRepositories({})).toMatchObject([{ fullName: 'acme/shop' }]);
    await resumed.close();
    await folder.remove();
  });

  it('answers a taken port and a broken configuration with one sentence', async () => {
    const folder = await temporaryFolder();
    const config = join(folder.path, 'sandbox.json');
    const port = Number(new URL(stage.sandbox.url).port);
    const taken = { ...sandboxOptions(join(folder.path, 'data')), port };
    for (const [text, words] of [
      [JSON.stringify(taken), /^The sandbox cannot listen on 127\.0\.0\.1:\d+: the port is taken\.\n$/],
      [JSON.stringify({ ...taken, app: {} }), /^The sandbox cannot use .*sandbox\.json: \/app .*\n$/],
      ['{', /^The sandbox cannot use .*sandbox\.json: .*\n$/],
    ] as const) {
      await writeFile(config, text);
      const child = runMain(config);
      const errors: Buffer[] = [];
      child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
      expect(await once(child, 'close')).toEqual([1, null]);
      expect(Buffer.concat(errors).toString()).toMatch(words);
    }
    await folder.remove();
  });
});
