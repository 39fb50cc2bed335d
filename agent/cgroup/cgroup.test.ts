import { describe, expect, it } from 'vitest';
import { cgroupDirectories, delegationWrites, limitWrites } from './cgroup.ts';
import { versionFrom } from './version.ts';

const v1 = { version: 1, mount: '/sys/fs/cgroup' } as const;
const v2 = { version: 2, mount: '/sys/fs/cgroup' } as const;
const limits = { cpuMillis: 1_500, memoryBytes: 1_000_000, cpuWeight: 250 };

describe('a cgroup', () => {
  it('has a directory per controller on v1, and one on v2', () => {
    expect(cgroupDirectories(v1, '/landfall-1/b')).toEqual([
      '/sys/fs/cgroup/cpu/landfall-1/b',
      '/sys/fs/cgroup/memory/landfall-1/b',
      '/sys/fs/cgroup/pids/landfall-1/b',
    ]);
    expect(cgroupDirectories(v2, '/landfall-1/b')).toEqual(['/sys/fs/cgroup/landfall-1/b']);
  });

  it('is limited by these files', () => {
    const written = (host: typeof v1 | typeof v2) =>
      limitWrites(host, '/b', limits).map(({ file, value }) => `${file.replace('/sys/fs/cgroup/', '')} ${value}`);
    expect(written(v1)).toEqual([
      'cpu/b/cpu.cfs_period_us 100000',
      'cpu/b/cpu.cfs_quota_us 150000',
      'cpu/b/cpu.shares 256',
      'memory/b/memory.limit_in_bytes 1000000',
    ]);
    expect(written(v2)).toEqual(['b/cpu.max 150000 100000', 'b/cpu.weight 25', 'b/memory.max 1000000']);
  });

  it('without limits is left as it is', () => {
    const none = { cpuMillis: null, memoryBytes: null, cpuWeight: null };
    expect([...limitWrites(v1, '/b', none), ...limitWrites(v2, '/b', none)]).toEqual([]);
  });

  it('gets its controllers from every ancestor on v2', () => {
    expect(delegationWrites(v1, '/a/b')).toEqual([]);
    expect(delegationWrites(v2, '/a/b').map(({ file }) => file)).toEqual([
      '/sys/fs/cgroup/cgroup.subtree_control',
      '/sys/fs/cgroup/a/cgroup.subtree_control',
    ]);
  });
});

it('tells the unified hierarchy from the hybrid one', () => {
  expect(versionFrom('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toBe(2);
  expect(
    versionFrom('cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n'),
  ).toBe(1);
});
