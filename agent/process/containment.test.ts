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

it('renders the first process of the namespace', () => {
  expect(renderInitScript()).toMatchInlineSnapshot(`
    "#!/bin/sh
    # Written by the Landfall agent at every start. Arguments: [empty DIRECTORY | enter CGROUP_PROCS]... run PROGRAM ARGUMENT...
    set -u
    while [ "$1" != run ]; do
      case "$1" in
        empty) mkdir -p "$2" && mount -t tmpfs -o mode=0755 tmpfs "$2" || exit 1 ;;
        enter) echo 0 > "$2" || exit 1 ;;
      esac
      shift 2
    done
    shift
    ending=no
    child=
    trap 'ending=yes; test -z "$child" || kill -TERM "$child" 2>/dev/null' TERM
    while [ "$ending" = no ]; do
      "$@" &
      child=$!
      while kill -0 "$child" 2>/dev/null; do wait "$child"; done
      test "$ending" = yes || sleep 1
    done
    "
  `);
});
