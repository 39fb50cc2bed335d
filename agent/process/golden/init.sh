#!/bin/sh
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
