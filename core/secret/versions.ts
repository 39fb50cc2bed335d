/** Decides which versions of its secrets a service gets, and who is to get new ones. */

/** A version that is in force: of one service, or (`service` is empty) of every service of the environment. */
export type SecretVersion = { id: string; service: string; name: string; version: number };

/** What a release keeps: the value behind one of its names. */
export type Pin = { name: string; secretId: string };

export type NeedsSecrets = { service: string; /** Names. */ secrets: readonly string[] };

export type Resolved = { pins: Pin[]; /** Names without a value. */ missing: string[] };

/** Of the values in force one of the service itself goes before one of the whole environment. */
export function resolveSecrets({ service, secrets }: NeedsSecrets, inForce: readonly SecretVersion[]): Resolved {
  const pins: Pin[] = [];
  const missing: string[] = [];
  for (const name of [...new Set(secrets)].sort()) {
    const named = inForce.filter((version) => version.name === name);
    const value = named.find((version) => version.service === service) ?? named.find((each) => each.service === '');
    if (value) pins.push({ name, secretId: value.id });
    else missing.push(name);
  }
  return { pins, missing };
}

/** A service with the release that it runs or is being brought to. */
export type PinnedService = NeedsSecrets & { pins: readonly Pin[] };

/** The pins of its next release; null when it has what is in force. A name that nobody has a value for keeps the one it had. */
export function newPins(service: PinnedService, inForce: readonly SecretVersion[]): Pin[] | null {
  const { pins, missing } = resolveSecrets(service, inForce);
  const kept = service.pins.filter(({ name }) => missing.includes(name));
  const next = [...pins, ...kept].sort((a, b) => (a.name < b.name ? -1 : 1));
  const before = new Map(service.pins.map(({ name, secretId }) => [name, secretId]));
  return next.every(({ name, secretId }) => before.get(name) === secretId) ? null : next;
}

/** `repository` is `owner/name`. */
export type SecretPlace = { environment: string; repository: string };

/** One sentence for what these services lack and how it is set; null when they lack nothing. */
export function missingSentence(
  services: readonly NeedsSecrets[],
  inForce: readonly SecretVersion[],
  { environment, repository }: SecretPlace,
): string | null {
  const lacking = services
    .map((needs) => ({ service: needs.service, names: resolveSecrets(needs, inForce).missing }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => (a.service < b.service ? -1 : 1));
  if (lacking.length === 0) return null;
  const needs = lacking.map(({ service, names }) => `${service} needs ${the(names)}`).join(' and ');
  const all = [...new Set(lacking.flatMap(({ names }) => names))];
  const [only] = all;
  const set = all.length === 1 ? `Set it with: landfall secret set ${only}` : 'Set each with: landfall secret set NAME';
  return `${needs}, which ${environment} does not have. ${set} --environment ${environment} --repository ${repository}`;
}

function the(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length === 1 ? `the secret ${last}` : `the secrets ${names.slice(0, -1).join(', ')} and ${last}`;
}

export type Removal = {
  secret: { service: string; name: string };
  /** Each with what its release names. */
  running: readonly NeedsSecrets[];
  /** Each with what the newest configuration names. */
  configured: readonly NeedsSecrets[];
  inForce: readonly SecretVersion[];
};

/** Services that run with the secret and would have no value for it at their next deploy. */
export function stillNeededBy({ secret, running, configured, inForce }: Removal): string[] {
  const left = inForce.filter(({ service, name }) => service !== secret.service || name !== secret.name);
  return running
    .filter(({ secrets }) => secrets.includes(secret.name))
    .filter(({ service }) =>
      configured.some((needs) => needs.service === service && needs.secrets.includes(secret.name)),
    )
    .filter(({ service }) => resolveSecrets({ service, secrets: [secret.name] }, left).missing.length > 0)
    .map(({ service }) => service)
    .sort();
}
