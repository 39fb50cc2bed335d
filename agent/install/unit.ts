/** Renders the systemd unit that runs the agent on a server. */
import { agentFlags } from '../../platform/lifecycle/node-flags.ts';
import { commandLine, withoutSpecifiers } from './systemd.ts';

export interface UnitOptions {
  node: string;
  script: string;
  url: string;
  dataDir: string;
  kind: 'worker' | 'proxy';
  /** Null: no builds on this node. */
  buildkitd: string | null;
}

/** The registration token is not in it: the node is registered before the service starts. */
export function renderUnit(options: UnitOptions): string {
  const flags = [
    ...['--url', options.url, '--data', options.dataDir],
    ...(options.kind === 'proxy' ? ['--proxy'] : []),
    ...(options.buildkitd === null ? ['--no-build'] : ['--buildkitd', options.buildkitd]),
  ];
  return `[Unit]
Description=Landfall agent
Documentation=${withoutSpecifiers(options.url)}
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${commandLine([options.node, ...agentFlags, options.script, ...flags])}
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
`;
}
