import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StalledError } from '../../platform/errors/errors.ts';
import { identityFile } from '../keys/identity.ts';
import { expectedCache, forgetExpected } from '../control/expected-cache.ts';
import { cursorFile } from '../logs/cursors.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { writeAtomically } from './atomic-file.ts';
import { socketPathFor } from './socket-path.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'landfall-storage-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe('an identity', () => {
  it('P13: is made once, and on the disk before anybody is told of it', async () => {
    const made = await identityFile(dir).load();
    expect(made.registration).toBeNull();
    expect(await identityFile(dir).load()).toEqual(made);
    expect(await modeOf(path.join(dir, 'identity.json'))).toBe(0o600);
  });

  it('has three pairs of keys, all different', async () => {
    const { keys } = await identityFile(dir).load();
    const all = Object.values(keys).flatMap(({ publicKey, privateKey }) => [publicKey, privateKey]);
    expect(new Set(all).size).toBe(6);
    for (const key of all) expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it.each(['', '{}', '{"version":1'])('that cannot be read is not replaced by a new one: %j', async (content) => {
    const file = path.join(dir, 'identity.json');
    await writeFile(file, content);
    await expect(identityFile(dir).load()).rejects.toThrow(StalledError);
    expect(await readFile(file, 'utf8')).toBe(content);
  });
});

describe('the cache of expected state', () => {
  const state = expecting(expectedContainer({ image: 'r/web@sha256:1', ip: '10.200.1.2', sealedSecrets: 'sealed' }));
  const work = [{ workId: 'w', kind: 'build', attempt: 1, status: 'offered', cancel: null } as const];

  it('keeps the state, without offers of work', async () => {
    const cache = expectedCache(dir, state.nodeId, () => undefined);
    expect(await cache.read()).toBeNull();
    await cache.write({ ...state, work });
    expect(await cache.read()).toEqual(state);
    expect(await modeOf(path.join(dir, 'expected-state.json'))).toBe(0o600);
  });

  it('leaves aside what it does not understand, and says so', async () => {
    const lines: string[] = [];
    await writeFile(path.join(dir, 'expected-state.json'), '{"version":2}');
    expect(await expectedCache(dir, state.nodeId, (line) => lines.push(line)).read()).toBeNull();
    expect(lines).toHaveLength(1);
  });

  it('leaves aside what was expected of another node, and says so', async () => {
    const lines: string[] = [];
    await expectedCache(dir, state.nodeId, () => undefined).write(state);
    expect(await expectedCache(dir, 'another', (line) => lines.push(line)).read()).toBeNull();
    expect(lines).toEqual([expect.stringMatching(/is of node .* and left aside; this is another\.$/)]);
  });

  it('is forgotten when the node registers anew, whether or not there is one', async () => {
    const cache = expectedCache(dir, state.nodeId, () => undefined);
    await cache.write(state);
    await forgetExpected(dir);
    await forgetExpected(dir);
    expect(await cache.read()).toBeNull();
  });
});

it('writes files whole or not at all, and leaves nothing beside them', async () => {
  const file = path.join(dir, 'deep', 'file.json');
  await writeAtomically(file, 'one');
  await writeAtomically(file, 'two');
  expect(await readFile(file, 'utf8')).toBe('two');
  expect(await readdir(path.dirname(file))).toEqual(['file.json']);
});

it('starts logs from their beginning when nobody knows how far they were sent', async () => {
  const cursors = cursorFile(dir);
  expect(await cursors.read()).toEqual({});
  const known = { a1: { containerId: 'c1', inode: 7, bytes: 10, nextOffset: 3 } };
  await cursors.write(known);
  expect(await cursors.read()).toEqual(known);
  await writeFile(path.join(dir, 'log-cursors.json'), 'torn');
  expect(await cursors.read()).toEqual({});
});

it('finds a short place for a socket whose directory is too deep for the kernel', () => {
  expect(socketPathFor('/var/lib/landfall', 'podman.sock')).toBe('/var/lib/landfall/podman.sock');
  const deep = socketPathFor(`/${'deep/'.repeat(30)}`, 'podman.sock');
  expect(deep.length).toBeLessThan(100);
  expect(deep).not.toBe(socketPathFor(`/${'deep/'.repeat(31)}`, 'podman.sock'));
});
