import { expect, it } from 'vitest';
import { buildAll, convergeAll, deploy, push } from '../../test/worker/play.ts';
import { useAgent, useProject, useWorld } from '../../test/worker/suite.ts';

const world = useWorld();
const agent = useAgent(world);
const project = useProject(world);

const builds = () =>
  world.database.db.build.findMany({ where: { projectId: project.id }, orderBy: { createdAt: 'asc' } });

it('builds a commit anew when its image is gone from the registry, and only then', async () => {
  const sha = await project.commit();
  await deploy(world, project, [agent], { sha });
  await deploy(world, project, [agent], { sha });
  expect(await builds()).toHaveLength(1);

  const third = await push(world, project, { sha });
  await world.queues.drain();
  const [lost] = (await agent.expected()).slice(-1);
  await agent.report([{ id: lost!.id, observed: 'pulling', health: 'none', detailCode: 'image_missing' }]);
  world.clock.aheadMs += 30_000;
  await agent.beat();
  await world.sweep();
  await world.queues.drain();
  expect(await world.database.db.intent.findUniqueOrThrow({ where: { id: third } })).toMatchObject({
    status: 'failed',
    reasonCode: 'image_missing',
  });

  const fourth = await push(world, project, { sha });
  await buildAll(world, [agent]);
  await convergeAll(world, [agent]);
  const [first, again] = await builds();
  expect(await world.database.db.intent.findUniqueOrThrow({ where: { id: fourth } })).toMatchObject({
    status: 'succeeded',
  });
  const release = await world.database.db.release.findFirstOrThrow({
    where: { rollouts: { some: { intentId: fourth } } },
  });
  expect(release).toMatchObject({ buildId: again!.id, imageDigest: again!.imageDigest });
  expect(again!.imageDigest).not.toBe(first!.imageDigest);
});
