/** What most tests of the worker begin with: a world of their own, a node that builds and runs, a project for each test. */
import { afterAll, afterEach, expect } from 'vitest';
import type { Queues } from '../../platform/queue/queues.ts';
import { useForAll, useForEach, useOpened } from '../suite.ts';
import { makeAgent, makeProject, type PlayedAgent, type Project } from './play.ts';
import { startWorld, type World } from './world.ts';

/** Ends with a look whether the sandbox was asked for anything that it could not answer. */
export function useWorld(): World;
export function useWorld<Q extends Queues>(start: () => Promise<World<Q>>): World<Q>;
export function useWorld(start: () => Promise<World<Queues>> = startWorld): World<Queues> {
  const world = useOpened(start);
  // Hooks after the tests run last to first: this one before the world is closed.
  afterAll(() => {
    expect(world.sandbox.failures).toEqual([]);
  });
  return world;
}

export function useAgent(world: World<Queues>): PlayedAgent {
  return useForAll(() => makeAgent(world));
}

/** @param owner Its account, given the number of the test. */
export function useProject(world: World<Queues>, owner = (_count: number) => 'acme'): Project {
  let count = 0;
  return useForEach(() => makeProject(world, owner(++count)));
}

export interface Agents {
  /** Those of the test that runs. */
  agents: PlayedAgent[];
  agent: (change?: Parameters<typeof makeAgent>[1]) => Promise<PlayedAgent>;
}

/** For tests that bring nodes of their own. */
export function useAgents(world: World): Agents {
  const agents: PlayedAgent[] = [];
  afterEach(() => {
    agents.length = 0;
  });
  return {
    agents,
    agent: async (change) => {
      const made = await makeAgent(world, change);
      agents.push(made);
      return made;
    },
  };
}
