import { describe, expect, it } from 'vitest';
import { obstacle, type PreflightFacts } from './preflight.ts';

const fine: PreflightFacts = {
  platform: 'linux',
  isRoot: true,
  dataDir: '/srv/landfall',
  dataWritable: true,
  freeBytes: 50 * 1024 ** 3,
  heldBy: null,
  takenPorts: [],
};

describe('obstacle', () => {
  it('lets a fitting machine start', () => {
    expect(obstacle(fine)).toBeNull();
  });

  it.each([
    [{ platform: 'darwin' }, /needs Linux; this is darwin/],
    [{ isRoot: false }, /needs root.*sudo npm run up/],
    [{ dataWritable: false }, /\/srv\/landfall cannot be written.*--data/],
    [{ heldBy: 4711 }, /process 4711.*--data/],
    [{ freeBytes: 1024 ** 3 }, /1\.0 GB free, 2\.0 GB needed/],
    [{ takenPorts: [{ port: 7780, purpose: 'server', flag: '--port' }] }, /Port 7780 \(server\) is taken.*--port/],
  ] satisfies [Partial<PreflightFacts>, RegExp][])('names what stands in the way: %j', (change, sentence) => {
    const text = obstacle({ ...fine, ...change });
    expect(text).toMatch(sentence);
    expect(text).not.toContain('\n');
  });
});
