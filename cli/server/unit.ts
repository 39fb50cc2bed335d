/** Renders the systemd unit that runs the control plane on a server. */
import { commandLine } from '../../agent/install/systemd.ts';
import { serverFlags } from '../../platform/lifecycle/node-flags.ts';

export interface ServerUnitOptions {
  /** Absolute paths. */
  node: string;
  script: string;
  /** Of the parts that run: none are all of them. */
  parts: readonly string[];
}

/** An unprivileged service: it writes into its own folder and nowhere else. PostgreSQL, where it is embedded, runs as the same user. */
export function renderServerUnit({ node, script, parts }: ServerUnitOptions): string {
  const command = commandLine([node, ...serverFlags, script, ...parts]);
  return `[Unit]
Description=Landfall control plane
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${command}
User=landfall
EnvironmentFile=/etc/landfall/landfall.env
Environment=NODE_ENV=production LANDFALL_DATA=/var/lib/landfall
StateDirectory=landfall
StateDirectoryMode=0700
Restart=always
RestartSec=2
TimeoutStopSec=40
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only

[Install]
WantedBy=multi-user.target
`;
}
