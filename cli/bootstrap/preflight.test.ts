import { expect, it } from 'vitest';
import { machineObstacle, roomObstacle, runBytes, type MachineFacts, type RoomFacts } from './preflight.mjs';

const machine: MachineFacts = {
  platform: 'linux',
  isRoot: true,
  missingPackages: [],
  dataDir: '/srv/landfall',
  dataWritable: true,
  heldBy: null,
};

const room: RoomFacts = {
  dataDir: '/srv/landfall',
  freeBytes: 50 * 1024 ** 3,
  neededBytes: runBytes,
  takenPorts: [],
  pool: '10.200.0.0/16',
  poolOccupant: null,
};

it('lets a fitting machine start', () => {
  expect(machineObstacle(machine)).toBeNull();
  expect(roomObstacle(room)).toBeNull();
});

it.each([
  [{ platform: 'darwin' }, /needs Linux; this is darwin/],
  [{ isRoot: false }, /needs root.*sudo npm run up/],
  [{ dataWritable: false }, /\/srv\/landfall cannot be written.*--data/],
  [{ heldBy: 4711 }, /process 4711.*--data/],
] satisfies [Partial<MachineFacts>, RegExp][])(
  'names what stands in the way on the machine: %j',
  (change, sentence) => {
    const text = machineObstacle({ ...machine, ...change });
    expect(text).toMatch(sentence);
    expect(text).not.toContain('\n');
  },
);

it.each([
  [{ freeBytes: 1024 ** 3 }, /1\.0 GB free, 2\.0 GB needed/],
  [{ takenPorts: [{ port: 7780, purpose: 'server', flag: '--port' }] }, /Port 7780 \(server\) is taken.*--port/],
  [{ poolOccupant: 'tun0' }, /10\.200\.0\.0\/16.*interface tun0/],
] satisfies [Partial<RoomFacts>, RegExp][])('says what there is no room for: %j', (change, sentence) => {
  const text = roomObstacle({ ...room, ...change });
  expect(text).toMatch(sentence);
  expect(text).not.toContain('\n');
});

it('names the exact command for the Debian packages that are missing, to whoever is not root', () => {
  const missingPackages = ['podman', 'runc'];
  const text = machineObstacle({ ...machine, isRoot: false, missingPackages });
  expect(text).toMatch(/needs root.*sudo npm run up\n/);
  expect(text).toContain("\n  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends podman runc'\n");
  expect(machineObstacle({ ...machine, missingPackages })).toBeNull();
});
