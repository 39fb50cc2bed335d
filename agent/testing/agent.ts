/** Starts an agent inside a test, with its own data directory, bridge and engine that end with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { agentEnvironment } from '../../platform/config/agent.ts';
import { createLog } from '../../platform/log/log.ts';
import { podman, type Podman } from '../podman/podman.ts';
import { engineSocket } from '../podman/socket.ts';
import { socketPathFor } from '../storage/socket-path.ts';
import type { AgentOptions } from '../options.ts';
import { startAgent, type RunningAgent } from '../start.ts';

export interface TestAgent {
  dataDir: string;
  options: AgentOptions;
  agent: RunningAgent;
  /** The same engine, for what a test does behind the agent's back. */
  engine: Podman;
  /** Stops it and removes its data. */
  end: () => Promise<void>;
}

export const testDirectory = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'landfall-agent-'));

export async function startTestAgent(
  plane: { url: string; token: string },
  change: Partial<AgentOptions> & Pick<AgentOptions, 'bridge'>,
): Promise<TestAgent> {
  const dataDir = change.dataDir ?? (await testDirectory());
  const options: AgentOptions = {
    url: plane.url,
    token: plane.token,
    kind: 'worker',
    dataDir,
    engine: { kind: 'supervised', lifetime: 'ends_with_agent' },
    builder: { kind: 'none' },
    mesh: { device: `${change.bridge}-w`.slice(-15), userspace: 'wireguard-go', listenPort: 51_820, endpoint: null },
    proxy: { program: 'traefik', http: '127.0.0.1:80', https: '127.0.0.1:443', internal: '127.0.0.1:7799' },
    env: agentEnvironment().variables,
    agentVersion: 'test',
    log: createLog({ name: 'agent', level: agentEnvironment().logLevel === 'debug' ? 'debug' : 'silent' }),
    ...change,
  };
  const agent = await startAgent(options);
  return {
    dataDir,
    options,
    agent,
    engine: podman(engineSocket(socketPathFor(dataDir, 'podman.sock'))),
    end: async () => {
      const failures = await agent.stop();
      await rm(dataDir, { recursive: true, force: true });
      if (failures.length > 0) throw new Error(`The agent left something behind: ${JSON.stringify(failures)}`);
    },
  };
}
