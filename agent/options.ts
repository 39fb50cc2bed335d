/** What an agent is started with. */
import type { Logger } from '../platform/log/log.ts';
import type { BuilderChoice } from './build/builder.ts';
import type { PassLimits } from './loop/pass.ts';
import type { MeshChoice, ProxyChoice } from './parts/open.ts';
import type { EngineChoice } from './podman/engine.ts';

export interface AgentOptions {
  /** Of the control plane. */
  url: string;
  /** For the first start, and for one after a removal; left aside when the node registered with it. */
  token: string | null;
  kind: 'worker' | 'proxy';
  dataDir: string;
  engine: EngineChoice;
  builder: BuilderChoice;
  /** Name of the containers' bridge; two agents on one machine use two. */
  bridge: string;
  mesh: MeshChoice;
  proxy: ProxyChoice;
  /** For the programs that the agent starts: PATH, HOME, proxies. */
  env: Readonly<Record<string, string>>;
  agentVersion: string;
  log: Logger;
  limits?: PassLimits;
}
