/** What the agent takes from the environment: how much it logs, and what the programs it starts need. */
import { logLevels, type LogLevel } from '../log/log.ts';

export interface AgentEnvironment {
  logLevel: LogLevel;
  /** Handed on to podman, buildkitd and git; nothing else of the environment is. */
  variables: Readonly<Record<string, string>>;
}

const handedOn = [
  ...['PATH', 'HOME', 'LANG', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
];
/** Programs of system packages lie there, and a service's PATH often leaves it out. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export function agentEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): AgentEnvironment {
  const kept = handedOn.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]] as const]));
  const listed = (variables['PATH'] ?? '').split(':').filter((directory) => directory !== '');
  const PATH = [...new Set([...listed, ...systemDirectories])].join(':');
  const level = variables['LOG_LEVEL'];
  return {
    logLevel: logLevels.find((one) => one === level) ?? 'info',
    variables: { HOME: '/root', ...Object.fromEntries(kept), PATH },
  };
}
