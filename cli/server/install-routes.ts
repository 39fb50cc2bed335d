/** What a new server downloads: `install.sh`, and the agent as one file. Public: neither holds a secret. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { renderInstallScript, type Download, type Downloads } from '../../agent/install/script.ts';
import { packageRoot } from '../root.ts';
import { findPin, type Release } from '../tools/pins.ts';

/** The first program of a pinned release. Null when a processor that nodes run on has none. */
function downloadsOf(name: string): Downloads | null {
  const { release, programs } = findPin(name) ?? {};
  const { amd64, arm64 } = release?.archives ?? {};
  if (release === undefined || programs === undefined || amd64 === undefined || arm64 === undefined) return null;
  const member = release.members.find((each) => path.basename(each) === programs[0].name);
  if (member === undefined) return null;
  // What is left out when it is unpacked is one directory, named as the archive.
  const download = ({ url, sha256 }: Release): Download => {
    const directory = release.strip === 0 ? '' : path.basename(url, '.tar.gz');
    return { url, sha256, member: path.join(directory, member) };
  };
  return { amd64: download(amd64), arm64: download(arm64) };
}

function renderScript(url: string, agentSha256: string): string {
  const node = downloadsOf('node');
  if (node === null) throw new Error('No release of Node.js is pinned for the processors that nodes run on.');
  return renderInstallScript({ url, agentSha256, node, buildkit: downloadsOf('buildkit') });
}

/** @param publicUrl Base URL of the control plane, as servers reach it. */
export function installRoutes(http: FastifyInstance, publicUrl: string): void {
  const agent = readFileSync(path.join(packageRoot(), 'dist', 'agent.js'));
  const agentSha256 = createHash('sha256').update(agent).digest('hex');
  const script = renderScript(publicUrl, agentSha256);
  http.get('/install.sh', (_request, reply) => reply.type('text/x-shellscript; charset=utf-8').send(script));
  http.get('/agent.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(agent));
}
