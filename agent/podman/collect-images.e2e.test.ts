import { afterAll, beforeAll, expect, it } from 'vitest';
import { useRegistry } from '../../test/agent/suite.ts';
import { part } from '../../test/parts.ts';
import { startTestAgent, type TestAgent } from '../testing/agent.ts';
import { containerOf, expectedContainer, startControlPlane, type TestControlPlane } from '../testing/control-plane.ts';
import { pushBusyboxImage } from '../testing/image.ts';
import { reserveNetwork, type TestNetwork } from '../testing/network.ts';
import { collectImages } from './collect-images.ts';
import { pulledImages } from './pulled-images.ts';

const user = { username: 'puller', password: 'correct horse' };
const registry = useRegistry(user);
let network: TestNetwork;
let plane: TestControlPlane;
let one: TestAgent;

beforeAll(async () => {
  network = await reserveNetwork();
  plane = await startControlPlane(network);
  one = await startTestAgent(plane, { bridge: network.bridge });
  plane.expect({ registries: [plane.seals().registry(registry.host, user)] });
});

afterAll(async () => {
  await one.end();
  await plane.stop();
});

const namesOf = async (): Promise<string[]> => (await one.engine.images()).flatMap(({ Names }) => Names ?? []).sort();

it('P81: removes images that the agent pulled and nothing needs; what runs, what is kept and what others made stays', async () => {
  const base = { host: registry.host, repository: 'test/web', user, busybox: await part('busybox'), exposedPorts: [] };
  const [old, kept, running, foreign] = await Promise.all(
    ['old', 'kept', 'running', 'foreign'].map((marker) => pushBusyboxImage({ ...base, marker })),
  );
  const { allocationId } = expectedContainer({ image: '', ip: '' });
  for (const image of [old, kept, running]) {
    plane.expect({ containers: [expectedContainer({ image: image!, ip: network.address(10) })] });
    await plane.reported((report) => {
      const container = containerOf(report, allocationId);
      return container?.image === image && container?.state === 'running';
    });
  }
  const signal = AbortSignal.timeout(60_000);
  await one.engine.pull({ image: foreign!, insecure: true, credentials: user, signal });
  expect(await namesOf()).toEqual([old, kept, running, foreign].sort());

  const pulled = await pulledImages(one.dataDir, () => undefined);
  expect([...pulled.all().keys()].sort()).toEqual([old, kept, running].sort());
  const lines: string[] = [];
  const collect = { podman: one.engine, pulled, log: (line: string) => lines.push(line) };
  const expected = { containers: [], keptImages: [kept!] } as never;
  // The container of the third is not expected by this state, and still uses its image.
  const moment = { expected, now: new Date(), isTight: true };
  expect(await collectImages(collect, moment)).toEqual([old]);
  expect(lines).toEqual([]);
  expect(await namesOf()).toEqual([kept, running, foreign].sort());
  expect([...(await pulledImages(one.dataDir, () => undefined)).all().keys()].sort()).toEqual([kept, running].sort());
});
