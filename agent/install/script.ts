/** Renders `install.sh`: what `landfall node add NAME` has a person run on a new server, `curl -fsSL URL/install.sh | sh -s -- …`. */

export interface Download {
  url: string;
  /** 64 hex digits. */
  sha256: string;
}

export interface InstallScriptOptions {
  /** Of the control plane; `agent.js` is downloaded from there. */
  url: string;
  /** Of `agent.js`, 64 hex digits. */
  agentSha256: string;
  /** BuildKit's release archives by Debian architecture; null: nodes make no builds. */
  buildkit: { amd64: Download; arm64: Download } | null;
}

const oldestNode = '20.19';

/** POSIX sh. Everything that is downloaded is checked against a checksum that stands in the script (P70). */
export function renderInstallScript(options: InstallScriptOptions): string {
  return `#!/bin/sh
# Installs the Landfall agent on Debian or Ubuntu: packages, one script, one systemd service.
# Usage: sh -s -- --token TOKEN [--proxy] [--data DIR]
set -eu

url=${single(options.url)}
agent_sha256=${single(options.agentSha256)}
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
command -v apt-get >/dev/null || fail "apt-get is not here. Install podman, netavark, runc, git and Node.js ${oldestNode} or newer, then run the agent by hand."
case "$data" in /*) ;; *) fail "--data takes an absolute path." ;; esac

say "installing podman, netavark, runc and git"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends podman netavark conmon runc iptables git ca-certificates curl >/dev/null

node=$(command -v node || true)
[ -n "$node" ] || fail "Node.js ${oldestNode} or newer is needed and is not here; see https://nodejs.org/en/download, then run this again."
"$node" -e ${single(nodeCheck)} || fail "Node.js $("$node" --version) is too old: ${oldestNode} or newer is needed."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
download() { # URL FILE SHA256
  curl -fsSL --proto '=https,http' --retry 3 -o "$2" "$1" || fail "$1 could not be downloaded."
  echo "$3  $2" | sha256sum -c --status || fail "$1 has the wrong checksum; nothing was installed from it."
}

say "downloading the agent"
download "$url/agent.js" "$work/agent.js" "$agent_sha256"
install -D -m 0755 "$work/agent.js" "$lib/agent.js"
${buildkitPart(options.buildkit)}
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
`;
}

const nodeCheck =
  'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)';

function buildkitPart(buildkit: InstallScriptOptions['buildkit']): string {
  if (buildkit === null) return 'build=--no-build\n';
  return `case "$(dpkg --print-architecture)" in
  amd64) buildkit_url=${single(buildkit.amd64.url)}; buildkit_sha256=${single(buildkit.amd64.sha256)} ;;
  arm64) buildkit_url=${single(buildkit.arm64.url)}; buildkit_sha256=${single(buildkit.arm64.sha256)} ;;
  *) fail "There is no BuildKit for this architecture." ;;
esac
if [ "$(cat "$lib/buildkit.sha256" 2>/dev/null)" != "$buildkit_sha256" ]; then
  say "downloading BuildKit"
  download "$buildkit_url" "$work/buildkit.tar.gz" "$buildkit_sha256"
  tar -C "$lib" -xzf "$work/buildkit.tar.gz" bin/buildkitd
  echo "$buildkit_sha256" > "$lib/buildkit.sha256"
fi
build="--buildkitd $lib/bin/buildkitd"
`;
}

/** One word of the shell, whatever is in it. */
function single(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
