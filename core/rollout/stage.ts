/** The stages of a rollout, in order. */

export const rolloutStages = [
  'pending',
  'pulling',
  'starting',
  'healthy',
  'dns_updating',
  'traefik_updating',
  'stopping_old',
  'running',
  'unknown',
  'stopped',
  'failed',
  'rolled_back',
] as const;
export type RolloutStage = (typeof rolloutStages)[number];

export const terminalStages = ['running', 'stopped', 'failed', 'rolled_back'] as const satisfies RolloutStage[];
export type TerminalStage = (typeof terminalStages)[number];

export function isTerminal(stage: RolloutStage): stage is TerminalStage {
  return (terminalStages as readonly RolloutStage[]).includes(stage);
}
