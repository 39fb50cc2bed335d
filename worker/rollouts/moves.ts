/** Takes all the steps that the same facts allow, so that they are written down together. */
import { reasons } from '../../core/intent/reasons.ts';
import { advance } from '../../core/rollout/advance.ts';
import type { Advance, Effect, RolloutFacts, RolloutView, Transition } from '../../core/rollout/facts.ts';

export interface Moves {
  transitions: Transition[];
  effects: Effect[];
  /** What was decided where it stopped; null: the effects change the facts, so they are to be read again. */
  rest: Advance | null;
}

/** Steps at most: a rollout has fewer stages, so more would be a rule that never rests. */
const maxSteps = 50;

export function movesOf(rollout: RolloutView, facts: RolloutFacts, now: Date): Moves {
  const transitions: Transition[] = [];
  const effects: Effect[] = [];
  let view = rollout;
  while (transitions.length < maxSteps) {
    const decision = advance(view, facts, now);
    if (decision.transition === null) return { transitions, effects, rest: decision };
    transitions.push(decision.transition);
    effects.push(...decision.effects);
    if (decision.effects.some(({ kind }) => kind !== 'serve')) return { transitions, effects, rest: null };
    view = { ...view, stage: decision.transition.to, stageSince: now };
  }
  throw new Error(`The rollout ${rollout.id} took ${maxSteps} steps without coming to rest.`);
}

/** Ends a rollout whose release cannot be read (P04): what it started is stopped, what served before goes on serving. */
export function unreadable(rollout: RolloutView, facts: Pick<RolloutFacts, 'allocations'>, why: string): Moves {
  const allocationIds = facts.allocations
    .filter(({ rolloutId, desired }) => rolloutId === rollout.id && desired === 'running')
    .map(({ id }) => id)
    .sort();
  const to = rollout.previousReleaseId === null ? 'failed' : 'rolled_back';
  const message = `${reasons.release_unreadable.means} Why: ${why}`;
  return {
    transitions: [{ from: rollout.stage, to, code: 'release_unreadable', message, lastLog: [] }],
    effects: allocationIds.length === 0 ? [] : [{ kind: 'stop', allocationIds }],
    rest: null,
  };
}
