import { describe, expect, it } from 'vitest';
import { renderInstallScript } from './script.ts';
import { renderUnit, type UnitOptions } from './unit.ts';

const unit: UnitOptions = {
  node: '/usr/bin/node',
  script: '/usr/local/lib/landfall/agent.js',
  url: 'https://landfall.example.com',
  dataDir: '/var/lib/landfall',
  kind: 'worker',
  buildkitd: '/usr/local/lib/landfall/bin/buildkitd',
};
const script = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), buildkit: null });
const startOf = (options: Partial<UnitOptions>) => /^ExecStart=(.*)$/m.exec(renderUnit({ ...unit, ...options }))?.[1];

describe('the unit', () => {
  it('is this', () => {
    expect(renderUnit(unit)).toMatchInlineSnapshot(`
      "[Unit]
      Description=Landfall agent
      Documentation=https://landfall.example.com
      After=network-online.target
      Wants=network-online.target

      [Service]
      ExecStart=/usr/bin/node /usr/local/lib/landfall/agent.js --url https://landfall.example.com --data /var/lib/landfall --buildkitd /usr/local/lib/landfall/bin/buildkitd
      Restart=always
      RestartSec=2
      # Containers outlive the agent: only the agent itself is ended, and what it started ends with it by itself.
      KillMode=process
      TimeoutStopSec=40
      Delegate=yes
      LimitNOFILE=1048576
      TasksMax=infinity
      OOMScoreAdjust=-500

      [Install]
      WantedBy=multi-user.target
      "
    `);
  });

  it('says what kind of node it is, and whether it builds', () => {
    expect(startOf({ kind: 'proxy', buildkitd: null })).toMatch(/ --proxy --no-build$/);
  });

  it('keeps every word one word for systemd', () => {
    expect(startOf({ dataDir: '/srv/my data/100%/$HOME/"x"' })).toContain(
      String.raw`--data "/srv/my data/100%%/$$HOME/\"x\""`,
    );
  });
});

describe('the install script', () => {
  it('is this', () => {
    expect(script).toMatchInlineSnapshot(`
      "#!/bin/sh
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
      "
    `);
  });

  it('P70: checks what it downloads against checksums that stand in it', () => {
    const download = (arch: string) => ({ url: `https://example.com/${arch}.tar.gz`, sha256: arch.at(0)!.repeat(64) });
    const buildkit = { amd64: download('bamd64'), arm64: download('carm64') };
    const withBuilds = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), buildkit });
    for (const sum of ['a', 'b', 'c']) expect(withBuilds).toContain(`'${sum.repeat(64)}'`);
    expect(withBuilds.match(/^ *download /gm)).toHaveLength(2);
    expect(withBuilds.match(/^ *curl .*-o/gm)).toHaveLength(1);
  });

  it('P66: quotes what is put into it', () => {
    const evil = renderInstallScript({ url: "https://x/'; reboot; '", agentSha256: 'a'.repeat(64), buildkit: null });
    expect(evil).toContain(String.raw`url='https://x/'\''; reboot; '\'''`);
  });
});
