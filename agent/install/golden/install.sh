#!/bin/sh
# Installs the Landfall agent on Debian or Ubuntu: packages, one script, one systemd service.
# Usage: sh -s -- --token TOKEN [--proxy] [--data DIR]
set -eu

url='https://landfall.example.com'
agent_sha256='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
lib=/usr/local/lib/landfall
unit=/etc/systemd/system/landfall-agent.service

token=
proxy=
data=/var/lib/landfall
while [ $# -gt 0 ]; do
  case "$1" in
    --token) token=$2; shift 2 ;;
    --data) data=$2; shift 2 ;;
    --proxy) proxy=--proxy; shift ;;
    *) echo "Unknown argument: $1" >&2; exit 1 ;;
  esac
done

fail() { echo "landfall: $1" >&2; exit 1; }
say() { echo "landfall: $1"; }

[ "$(id -u)" = 0 ] || fail "Run this as root: sudo sh -s -- ..."
command -v systemctl >/dev/null || fail "systemd is not here; start the agent by hand: node agent.js --help"
command -v apt-get >/dev/null || fail "apt-get is not here. Install podman, netavark, runc, git and Node.js 20.19 or newer, then run the agent by hand."
case "$data" in /*) ;; *) fail "--data takes an absolute path." ;; esac

say "installing podman, netavark, runc and git"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends podman netavark conmon runc iptables git ca-certificates curl >/dev/null

node=$(command -v node || true)
[ -n "$node" ] || fail "Node.js 20.19 or newer is needed and is not here; see https://nodejs.org/en/download, then run this again."
"$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || fail "Node.js $("$node" --version) is too old: 20.19 or newer is needed."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
download() { # URL FILE SHA256
  curl -fsSL --proto '=https,http' --retry 3 -o "$2" "$1" || fail "$1 could not be downloaded."
  echo "$3  $2" | sha256sum -c --status || fail "$1 has the wrong checksum; nothing was installed from it."
}

say "downloading the agent"
download "$url/agent.js" "$work/agent.js" "$agent_sha256"
install -D -m 0755 "$work/agent.js" "$lib/agent.js"
build=--no-build

say "registering this node"
# An agent that runs already holds its data; containers run on meanwhile.
systemctl stop landfall-agent.service 2>/dev/null || true
install -d -m 0700 "$data"
"$node" "$lib/agent.js" --url "$url" --data "$data" $proxy --token "$token" --register

"$node" "$lib/agent.js" --url "$url" --data "$data" $proxy $build --unit > "$unit"
systemctl daemon-reload
systemctl enable --quiet landfall-agent.service
systemctl restart landfall-agent.service
say "the agent runs; its log: journalctl -u landfall-agent -f"
