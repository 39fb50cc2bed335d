/** Turns a claim into a build: opens what is sealed, sets up the log, and runs it. Never rejects. */
import type { BuildOutcome } from '../../core/contract/work.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { Claim } from '../control/control.ts';
import type { Opener } from '../keys/opener.ts';
import type { LogShipper } from '../logs/shipper.ts';
import type { Clock } from '../loop/clock.ts';
import type { Confine } from './confine.ts';
import { executeBuild, type BuildPorts, type BuildSecrets } from './execute.ts';
import type { LayerCache } from './layer-cache.ts';
import { BuildLog } from './log.ts';

export interface WorkOptions {
  opener: Opener;
  shipper: LogShipper;
  confine: Confine;
  cache: LayerCache;
  builder: BuildPorts['builder'];
  source: BuildPorts['source'];
  clock: Clock;
}

export interface ClaimedWork {
  workId: string;
  claim: Claim;
  cancel: AbortSignal;
}

export function buildWork(options: WorkOptions): (work: ClaimedWork) => Promise<BuildOutcome> {
  return async ({ workId, claim, cancel }) => {
    const { order, attempt } = claim;
    const opened = openSecrets(options.opener, workId, claim);
    if (!opened.ok) return opened.outcome;
    const stream = options.shipper.open({ kind: 'build', id: order.buildId, attempt, startOffset: 0 });
    const secrets = maskedValues(opened.secrets);
    const log = new BuildLog({ stream, secrets, maxBytes: order.maxLogBytes, clock: options.clock });
    const outcome = await besideNoCacheWrite(options.cache, async () => {
      const { outcome, cache } = await executeBuild(order, opened.secrets, {
        builder: options.builder,
        source: options.source,
        confine: options.confine,
        isWarm: options.cache.isWarm(order.imageName),
        log,
        cancel,
        now: () => options.clock.now().getTime(),
      });
      if (cache !== null) options.cache.offer(cache);
      return outcome;
    });
    log.note(closingLine(outcome));
    // The outcome does not wait for the log: its last lines follow it.
    void log.end();
    return outcome;
  };
}

async function besideNoCacheWrite<T>(cache: LayerCache, build: () => Promise<T>): Promise<T> {
  cache.buildBegins();
  try {
    return await build();
  } finally {
    cache.buildEnds();
  }
}

function closingLine(outcome: BuildOutcome): string {
  switch (outcome.kind) {
    case 'succeeded':
      return `Built and pushed ${outcome.imageDigest}`;
    case 'failed':
      return outcome.message;
    case 'cancelled':
      return `The build was cancelled: ${outcome.code}.`;
  }
}

type Opened = { ok: true; secrets: BuildSecrets } | { ok: false; outcome: BuildOutcome };

function openSecrets(opener: Opener, workItemId: string, { attempt, order }: Claim): Opened {
  try {
    const token = opener.sourceToken({ workItemId, attempt }, order.sealedSourceToken);
    return { ok: true, secrets: { token, credentials: opener.credentials(order.registry) } };
  } catch (error) {
    const message = messageOf(error);
    return { ok: false, outcome: { kind: 'failed', code: 'internal', message, annotations: [], logTail: [] } };
  }
}

/** The secrets as they are, and as they travel in a header. */
function maskedValues({ token, credentials }: BuildSecrets): string[] {
  const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64');
  const ofRegistry =
    credentials === null ? [] : [credentials.password, basic(credentials.username, credentials.password)];
  return [token, basic('x-access-token', token), ...ofRegistry].filter((value) => value !== '');
}
