/** How much a service may use: what of a commit's own file was not taken, and the sentence that says so (P46). */
import Type, { type Static } from 'typebox';
import { Resources, ServiceSpec } from './service.ts';
import { sizeText } from './units.ts';

export const Amounts = Type.Object({ ...Resources.properties, replicas: ServiceSpec.properties.replicas });
export type Amounts = Static<typeof Amounts>;

const labels: Record<keyof Amounts, string> = {
  cpuMillis: 'cpu',
  memoryBytes: 'memory',
  pids: 'pids',
  replicas: 'replicas',
};
const keys = Object.keys(labels) as (keyof Amounts)[];

/** Those of the commit that are not what is taken; null when all are. */
export function amountsNotTaken(ofCommit: Amounts, taken: Amounts): Partial<Amounts> | null {
  const differing = keys.filter((key) => ofCommit[key] !== taken[key]);
  return differing.length === 0 ? null : Object.fromEntries(differing.map((key) => [key, ofCommit[key]]));
}

type Service = { service: Pick<ServiceSpec, 'replicas' | 'resources'>; notTaken?: Partial<Amounts> };

/** Of too many the others are counted. */
const namedAtMost = 5;

/** What runs otherwise than the commit's own file says, and who has the say; null when nothing does. By service. */
export function notTakenSentence(services: Record<string, Service>, defaultBranch: string): string | null {
  const differing = Object.entries(services)
    .filter(([, { notTaken }]) => notTaken !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, service]) => `${name} runs with ${comparison(service)}`);
  if (differing.length === 0) return null;
  const more = differing.length - namedAtMost;
  const named = [...differing.slice(0, namedAtMost), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return `How much services may use is said by landfall.yml on ${defaultBranch}, not by this commit: ${named}.`;
}

function comparison({ service, notTaken = {} }: Service): string {
  const taken: Amounts = { ...service.resources, replicas: service.replicas };
  return keys
    .flatMap((key) => {
      const ofCommit = notTaken[key];
      return ofCommit === undefined ? [] : [`${labels[key]} ${text(key, taken[key])} (not ${text(key, ofCommit)})`];
    })
    .join(', ');
}

/** As it is written in landfall.yml. */
function text(key: keyof Amounts, amount: number): string {
  if (key === 'memoryBytes') return sizeText(amount);
  return String(key === 'cpuMillis' ? amount / 1_000 : amount);
}
