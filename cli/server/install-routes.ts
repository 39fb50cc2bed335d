/** What a new server downloads: `install.sh`, and the agent as one file. Public: neither holds a secret. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { renderInstallScript, type InstallScriptOptions } from '../../agent/install/script.ts';
import { packageRoot } from '../root.ts';
import { findPin } from '../tools/pins.ts';

/** Null when a processor that we serve has no pinned release: nodes then build with a BuildKit that is installed by hand. */
function buildkitDownloads(): InstallScriptOptions['buildkit'] {
  const { amd64, arm64 } = findPin('buildkit')?.release?.archives ?? {};
  return amd64 === undefined || arm64 === undefined ? null : { amd64, arm64 };
}

/** @param publicUrl Base URL of the control plane, as servers reach it. */
export function installRoutes(http: FastifyInstance, publicUrl: string): void {
  const agent = readFileSync(path.join(packageRoot(), 'dist', 'agent.js'));
  const agentSha256 = createHash('sha256').update(agent).digest('hex');
  const script = renderInstallScript({ url: publicUrl, agentSha256, buildkit: buildkitDownloads() });
  http.get('/install.sh', (_request, reply) => reply.type('text/x-shellscript; charset=utf-8').send(script));
  http.get('/agent.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(agent));
}
