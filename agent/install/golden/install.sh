#!/bin/sh
# Installs the Landfall agent on Debian 12, Ubuntu 24.04, or a later one: packages, programs, one systemd service.
# Usage: curl -fsSL https://landfall.example.com/install.sh | sh -s -- --token TOKEN [--proxy] [--data DIR]
# Run again on a server that is registered, with the same flags but without --token, it brings the agent up to date.
set -eu

url='https://landfall.example.com'
agent_sha256='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
lib=/usr/local/lib/landfall
service=landfall-agent.service
unit=/etc/systemd/system/$service
build="--buildkitd $lib/bin/buildkitd"
token=
proxy=
data=/var/lib/landfall
stopped=

say() { echo "landfall: $1"; }
refuse() { echo "landfall: $1 Nothing was changed on this machine." >&2; exit 1; }
has() { command -v "$1" >/dev/null; }

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --proxy) proxy=--proxy; shift ;;
      --token | --data)
        case "${2-}" in '' | -*) refuse "$1 needs a value." ;; esac
        case "$1" in --token) token=$2 ;; --data) data=$2 ;; esac
        shift 2 ;;
      *) refuse "Unknown argument: $1. Known are --token TOKEN, --data DIR and --proxy." ;;
    esac
  done
  case "$data" in /*) ;; *) refuse "--data takes an absolute path, not $data." ;; esac
}

look_at_machine() {
  [ "$(id -u)" = 0 ] || refuse "Run this as root: curl -fsSL $url/install.sh | sudo sh -s -- --token TOKEN"
  has systemctl || refuse "systemd is not here. Run the agent by hand (docs/agent.md)."
  has apt-get || refuse "apt-get is not here. Install podman, netavark, runc, git, wireguard-tools, nftables, iptables and Node.js 20.19 or newer, and run the agent by hand (docs/agent.md)."
  has curl || refuse "curl is not here. Install it, and run this again: apt-get install -y curl ca-certificates"
  arch=$(dpkg --print-architecture)
  case "$arch" in
    amd64)
      node_url='https://example.com/b.tar.gz'
      node_sha256='bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
      node_member='bin/b'
      buildkitd_url='https://example.com/d.tar.gz'
      buildkitd_sha256='dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd'
      buildkitd_member='bin/d' ;;
    arm64)
      node_url='https://example.com/c.tar.gz'
      node_sha256='cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'
      node_member='bin/c'
      buildkitd_url='https://example.com/e.tar.gz'
      buildkitd_sha256='eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee'
      buildkitd_member='bin/e' ;;
    *) refuse "Nodes run on amd64 and arm64, and this is $arch." ;;
  esac
  [ -n "$token" ] || [ -e "$data/identity.json" ] || refuse "This server is not registered yet, and --token is missing. landfall node add NAME prints the whole line."
}

# Whether a Node.js runs the agent.
runs_agent() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

download() { # URL SHA256 FILE
  curl -fsSL --proto '=https,http' --retry 3 -o "$3" "$1" || refuse "$1 could not be downloaded."
  echo "$2  $3" | sha256sum -c --status || refuse "$1 has the wrong checksum."
}

download_program() { # NAME URL SHA256 MEMBER, unless it is installed from this very archive
  [ ! -x "$lib/bin/$1" ] || [ "$(cat "$lib/bin/$1.sha256" 2>/dev/null)" != "$3" ] || return 0
  say "downloading $1"
  download "$2" "$3" "$work/archive"
  tar -xzOf "$work/archive" "$4" > "$work/$1" || refuse "$2 cannot be unpacked."
  echo "$3" > "$work/$1.sha256"
}

download_all() {
  work=$(mktemp -d)
  trap finish EXIT
  trap 'exit 1' HUP INT TERM
  say "downloading the agent"
  download "$url/agent.js" "$agent_sha256" "$work/agent.js"
  node=$(command -v node || true)
  if [ -z "$node" ] || ! runs_agent "$node"; then
    download_program node "$node_url" "$node_sha256" "$node_member"
    node=$lib/bin/node
  fi
  download_program buildkitd "$buildkitd_url" "$buildkitd_sha256" "$buildkitd_member"
}

# However it ends: what ran before runs again.
finish() {
  rm -rf "$work"
  [ -z "$stopped" ] || systemctl start "$service"
}

install_packages() {
  say "installing podman, netavark, runc, git and wireguard-tools"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold podman netavark conmon runc iptables nftables iproute2 wireguard-tools git ca-certificates curl >/dev/null
}

# In one step: what runs from the old file goes on.
replace() { # FILE TARGET MODE
  install -m "$3" "$1" "$2.new"
  mv -f "$2.new" "$2"
}

install_programs() {
  mkdir -p "$lib/bin"
  replace "$work/agent.js" "$lib/agent.js" 0755
  for name in node buildkitd; do
    [ -e "$work/$name" ] || continue
    replace "$work/$name" "$lib/bin/$name" 0755
    replace "$work/$name.sha256" "$lib/bin/$name.sha256" 0644
  done
}

register() {
  say "registering this node"
  # An agent that runs already holds its data; containers run on meanwhile.
  if systemctl is-enabled --quiet "$service" 2>/dev/null; then stopped=yes; fi
  systemctl stop "$service" 2>/dev/null || true
  install -d -m 0700 "$data"
  "$node" "$lib/agent.js" --url "$url" --data "$data" $proxy --token "$token" --register
}

start() {
  "$node" "$lib/agent.js" --url "$url" --data "$data" $proxy $build --unit > "$work/unit"
  replace "$work/unit" "$unit" 0644
  systemctl daemon-reload
  systemctl enable --quiet "$service"
  stopped=
  systemctl restart "$service"
  say "the agent runs; its log: journalctl -u landfall-agent -f"
}

main() {
  read_arguments "$@"
  look_at_machine
  download_all
  install_packages
  install_programs
  register
  start
}

# Its last word closes what is read whole before any of it runs. No program gets the script to read.
if :; then main "$@" </dev/null; fi
