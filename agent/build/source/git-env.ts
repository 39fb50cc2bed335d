/** Renders the environment and arguments of every git call: no configuration but ours, and the token nowhere else. */

export interface GitEnvOptions {
  /** PATH and what a proxy needs; nothing else is handed on. */
  base: Readonly<Record<string, string>>;
  cloneUrl: string;
  token: string;
}

/** Handed on from the agent's own environment. */
const handedOn = [
  'PATH',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
];

/** Git without a network: no configuration of the machine or of a person, no prompts, no hooks. */
export function localGitEnv(base: Readonly<Record<string, string>>): Record<string, string> {
  const settings = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['gc.auto', '0'],
    ['advice.detachedHead', 'false'],
    // What a repository's owner is does not matter here: the cache is the agent's own.
    ['safe.directory', '*'],
  ] as const;
  return {
    ...Object.fromEntries(
      handedOn.flatMap((name): [string, string][] => (base[name] === undefined ? [] : [[name, base[name]]])),
    ),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    LC_ALL: 'C',
    ...configVariables(settings),
  };
}

/**
 * Git that fetches: the token goes as a header to this one URL, through the environment, so it is in no argv, no file and no
 * `.git/config`. Redirects are refused, or the header would follow them.
 */
export function fetchGitEnv(options: GitEnvOptions): Record<string, string> {
  const basic = Buffer.from(`x-access-token:${options.token}`).toString('base64');
  const env = localGitEnv(options.base);
  const fixed = Number(env['GIT_CONFIG_COUNT']);
  return {
    ...env,
    GIT_ALLOW_PROTOCOL: 'http:https',
    ...configVariables(
      [
        ['http.followRedirects', 'false'],
        ['http.lowSpeedLimit', '1000'],
        ['http.lowSpeedTime', '30'],
        [`http.${options.cloneUrl}.extraHeader`, `Authorization: Basic ${basic}`],
      ],
      fixed,
    ),
  };
}

function configVariables(settings: readonly (readonly [string, string])[], from = 0): Record<string, string> {
  const pairs = settings.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${from + index}`, key],
    [`GIT_CONFIG_VALUE_${from + index}`, value],
  ]);
  return { ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: String(from + settings.length) };
}
