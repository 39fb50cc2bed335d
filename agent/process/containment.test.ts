import { expect, it } from 'vitest';
import { containedArgv, renderInitScript } from './containment.ts';

it('has the kernel end a program with the agent', () => {
  expect(containedArgv({ kind: 'kept' }, ['podman', 'system'])).toEqual([
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...['podman', 'system'],
  ]);
});

it('gives a program that leaves children behind namespaces that end with it', () => {
  const containment = {
    kind: 'contained',
    initScript: '/d/init.sh',
    privateDirectories: ['/dev/shm'],
    cgroupProcs: ['/c/procs'],
  } as const;
  expect(containedArgv(containment, ['podman', '--root', '/d'])).toEqual([
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private', '--'],
    ...['sh', '/d/init.sh', 'empty', '/dev/shm', 'enter', '/c/procs', 'run', 'podman', '--root', '/d'],
  ]);
});

it('renders the first process of the namespace', async () => {
  await expect(renderInitScript()).toMatchFileSnapshot('golden/init.sh');
});
