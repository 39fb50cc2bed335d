/** Follows one push from the commit to the container that serves it, stage by stage. */
import { setTimeout } from 'node:timers/promises';
import Type from 'typebox';
import { AllocationResource } from '../../core/contract/resources/allocations.ts';
import { IntentDetail, IntentResource } from '../../core/contract/resources/intents.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { ServiceResource } from '../../core/contract/resources/services.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { UnreachableError, type ApiClient } from '../client.ts';

export interface Landing {
  /** Null when nothing of it has a port. */
  url: string | null;
  sha: string;
  digest: string;
  /** Milliseconds from the push, or from the stage before, to each stage's begin. */
  stages: Record<string, number>;
  total_ms: number;
  /** The console's page of it. */
  page: string;
}

/** The push ended, but not by serving. */
export class LandingFailed extends StalledError {
  constructor(message: string) {
    super('not_landed', message);
  }
}

const IntentList = Type.Object({ intents: Type.Array(IntentResource) });
const pollMs = 20;

/** A stage and the moment it was reached. */
export interface Reached {
  stage: string;
  at: number;
}

/** Every stage that an intent has reached, oldest first. */
export function reachedStages(intent: IntentDetail): Reached[] {
  const at = (time: string | null): number | null => (time === null ? null : Date.parse(time));
  const times: { stage: string; at: number | null }[] = [{ stage: 'received', at: at(intent.requestedAt) }];
  for (const build of intent.builds)
    times.push(
      { stage: 'queued', at: at(build.createdAt) },
      { stage: 'building', at: at(build.startedAt) },
      { stage: 'built', at: at(build.finishedAt) },
    );
  for (const rollout of intent.rollouts)
    for (const event of rollout.timeline)
      if (event.toStage !== null) times.push({ stage: event.toStage, at: at(event.at) });
  return times
    .filter((each): each is Reached => each.at !== null)
    .sort((a, b) => a.at - b.at)
    .filter((each, index, all) => all.findIndex(({ stage }) => stage === each.stage) === index);
}

/** Milliseconds from one stage to the next; the first counts from the push. */
export function stageDurations(reached: readonly Reached[], pushedAt: number): Record<string, number> {
  return Object.fromEntries(
    reached.map(({ stage, at }, index) => [stage, Math.max(0, at - (reached[index - 1]?.at ?? pushedAt))]),
  );
}

/** The server may be killed and started again meanwhile: what it did not answer is asked again, until the signal. */
function patient(api: ApiClient, signal: AbortSignal): ApiClient {
  return {
    async call(call) {
      for (;;) {
        try {
          return await api.call(call);
        } catch (error) {
          if (!(error instanceof UnreachableError) || signal.aborted) throw error;
          await setTimeout(pollMs);
        }
      }
    },
  };
}

async function findIntent(api: ApiClient, sha: string, since: number, signal: AbortSignal): Promise<IntentResource> {
  for (;;) {
    const { intents } = await api.call({ method: 'GET', path: '/api/v1/intents?limit=20', answer: IntentList });
    const found = intents.find((each) => each.sha === sha && Date.parse(each.requestedAt) >= since);
    if (found !== undefined) return found;
    await setTimeout(pollMs, undefined, { signal });
  }
}

/** Where those that are to run answer, the newest release first: an older one may be about to go. */
function urlsOf(allocations: readonly AllocationResource[]): string[] {
  return allocations
    .filter(({ desired }) => desired === 'running')
    .sort((a, b) => b.releaseNumber - a.releaseNumber)
    .flatMap(({ ip, port }) => (port === null ? [] : [`http://${ip}:${port}/`]));
}

function failure(intent: IntentDetail): string {
  const log = intent.rollouts.flatMap(({ allocations }) => allocations.flatMap(({ lastLog }) => lastLog)).slice(-10);
  return [`The push did not land: ${intent.reason ?? intent.status}. All of it: ${intent.url}`, ...log].join('\n');
}

export interface Follow {
  sha: string;
  /** When the push began, in milliseconds since 1970. */
  pushedAt: number;
  signal: AbortSignal;
  onStage: (stage: string, ms: number) => void;
}

/** Resolves when the commit serves. Throws LandingFailed with the reason when it does not come to that. */
export async function followPush(client: ApiClient, follow: Follow): Promise<Landing> {
  const api = patient(client, follow.signal);
  const { id, url: page } = await findIntent(api, follow.sha, follow.pushedAt, follow.signal);
  let told = 0;
  for (;;) {
    const intent = await api.call({ method: 'GET', path: `/api/v1/intents/${id}`, answer: IntentDetail });
    const reached = reachedStages(intent);
    const durations = stageDurations(reached, follow.pushedAt);
    for (const { stage } of reached.slice(told)) follow.onStage(stage, durations[stage] ?? 0);
    told = reached.length;
    const last = reached.at(-1);
    if (intent.status === 'succeeded' && last !== undefined) {
      const image = intent.builds[0]?.image ?? '';
      return {
        url: urlsOf(intent.rollouts.flatMap(({ allocations }) => allocations))[0] ?? null,
        sha: follow.sha,
        digest: image.slice(image.indexOf('@') + 1),
        stages: durations,
        total_ms: last.at - follow.pushedAt,
        page,
      };
    }
    if (intent.status !== 'active') throw new LandingFailed(failure(intent));
    await setTimeout(pollMs, undefined, { signal: follow.signal });
  }
}

const AllocationList = Type.Object({ allocations: Type.Array(AllocationResource) });

async function answersAt(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) })).ok;
  } catch {
    return false;
  }
}

const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });

async function servicesOf(api: ApiClient, repository: string): Promise<ServiceResource[]> {
  const { projects } = await api.call({ method: 'GET', path: '/api/v1/projects', answer: ProjectList });
  return projects
    .filter((project) => project.repository === repository)
    .flatMap(({ environments }) => environments.flatMap(({ services }) => services));
}

/** Whether a release is to serve whose replicas are still to be placed. */
function isAnythingToCome(services: readonly ServiceResource[], placed: readonly AllocationResource[]): boolean {
  const isPlaced = (id: string): boolean =>
    placed.some(({ serviceId, desired }) => serviceId === id && desired === 'running');
  return services.some(({ id, serving, replicas }) => serving !== null && replicas.wanted > 0 && !isPlaced(id));
}

export interface Awaited {
  /** `owner/name` */
  repository: string;
  signal: AbortSignal;
}

/** Where a service of the repository answers that is to run: asked until one does. Null when none did until the signal, or none is to answer. */
export async function awaitServing(client: ApiClient, { repository, signal }: Awaited): Promise<string | null> {
  const api = patient(client, signal);
  for (;;) {
    const services = await servicesOf(api, repository);
    const path = '/api/v1/allocations';
    const { allocations } = await api.call({ method: 'GET', path, answer: AllocationList });
    const urls = urlsOf(allocations.filter(({ serviceId }) => services.some(({ id }) => id === serviceId)));
    for (const url of urls) if (await answersAt(url, signal)) return url;
    if (signal.aborted || (urls.length === 0 && !isAnythingToCome(services, allocations))) return null;
    await setTimeout(pollMs);
  }
}
