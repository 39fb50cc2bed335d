import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fastify from 'fastify';
import { beforeAll, expect, it } from 'vitest';
import { build } from '../build.mjs';
import { findPin } from '../tools/pins.ts';
import { installRoutes } from './install-routes.ts';

beforeAll(() => build(() => undefined));

async function served(path: string): Promise<Buffer> {
  const http = fastify();
  installRoutes(http, 'https://deploy.example.com');
  const answer = await http.inject(path);
  expect(answer.statusCode).toBe(200);
  return answer.rawPayload;
}

it('P70: the script holds the checksum of the agent that is served beside it', async () => {
  const sha256 = createHash('sha256')
    .update(await served('/agent.js'))
    .digest('hex');
  expect((await served('/install.sh')).toString()).toContain(sha256);
});

it('serves a script that a POSIX shell can read', async () => {
  const script = await served('/install.sh');
  expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow();
  expect(script.toString()).toContain('https://deploy.example.com');
});

it('P70: the script holds the releases of Node.js and BuildKit that are pinned, and where in them the programs are', async () => {
  const script = (await served('/install.sh')).toString();
  for (const name of ['node', 'buildkit'])
    for (const { url, sha256 } of Object.values(findPin(name)!.release!.archives)) {
      expect(script).toContain(`_url='${url}'`);
      expect(script).toContain(`_sha256='${sha256}'`);
    }
  expect(script).toMatch(/node_member='node-v[\d.]+-linux-x64\/bin\/node'/);
  expect(script).toContain("buildkitd_member='bin/buildkitd'");
});
