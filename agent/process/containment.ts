/**
 * What a program that the agent starts may outlive, as argv. Rendering only; `child.ts` runs it.
 *
 * `setpriv --pdeathsig` has the kernel kill a direct child when the agent dies, however it dies. Programs that leave children of
 * their own behind (a container's monitor detaches itself) also get a pid namespace, which ends as a whole with its first
 * process, and a mount namespace, which takes its mounts with it.
 */

export type Containment =
  /** The program ends with the agent; what it detached lives on. */
  | { kind: 'kept' }
  /** The program and everything below it end with the agent, its mounts too. */
  | {
      kind: 'contained';
      initScript: string;
      /** Empty in there. */
      privateDirectories: readonly string[];
      /** `cgroup.procs` files of the cgroups it enters. */
      cgroupProcs: readonly string[];
    };

/** Where a container runtime keeps what it runs. Of one that is killed with its containers nobody else takes it away. */
export function runtimeStateDirectory(runtime: 'crun' | 'runc'): string {
  return `/run/${runtime}`;
}

export function containedArgv(containment: Containment, argv: readonly string[]): string[] {
  const endsWithAgent = ['setpriv', '--pdeathsig', 'KILL', '--'];
  switch (containment.kind) {
    case 'kept':
      return [...endsWithAgent, ...argv];
    case 'contained':
      return [
        ...endsWithAgent,
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private', '--'],
        ...['sh', containment.initScript],
        ...containment.privateDirectories.flatMap((directory) => ['empty', directory]),
        ...containment.cgroupProcs.flatMap((file) => ['enter', file]),
        ...['run', ...argv],
      ];
  }
}

/**
 * The first process of a pid namespace: mounts an empty file system over directories, enters cgroups, runs the program and runs it
 * again when it dies (what it started lives on meanwhile), reaps orphans, and on SIGTERM ends it and itself.
 */
export function renderInitScript(): string {
  return `#!/bin/sh
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
`;
}
