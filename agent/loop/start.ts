/** Starts the loop with everything that wakes it: events of the engine, health, answers of the control plane, time. */
import { setMaxListeners } from 'node:events';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { Capability, NodeResources, StatusAnswer, StatusReport } from '../../core/contract/status.ts';
import type { WorkOffer } from '../../core/contract/work.ts';
import { labelNames } from '../../core/plan/labels.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { Control } from '../control/control.ts';
import type { ExpectedSource } from '../control/expected-source.ts';
import { reporter, type Reporter } from '../control/reporter.ts';
import { healthMonitor } from '../health/monitor.ts';
import { prober } from '../health/probe.ts';
import type { Opener } from '../keys/opener.ts';
import { containerLogs, type ContainerLogs } from '../logs/container-logs.ts';
import { containerMasks, type ContainerMasks } from '../logs/container-masks.ts';
import type { CursorFile } from '../logs/cursors.ts';
import type { LogShipper } from '../logs/shipper.ts';
import { logTail } from '../logs/tail.ts';
import { nodeResources } from '../node/resources.ts';
import type { NodeParts } from '../parts/parts.ts';
import type { Engine } from '../podman/engine.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { Alarm } from './alarm.ts';
import type { Clock } from './clock.ts';
import { followEvents } from './events.ts';
import { runLoop, type Report } from './loop.ts';
import { emptyMemory, forgetReported, type Memory } from './memory.ts';
import type { PassLimits } from './pass.ts';
import { composeReport } from './report.ts';
import { every } from './every.ts';

export interface LoopOptions {
  clock: Clock;
  random: () => number;
  epoch: string;
  agentVersion: string;
  limits: PassLimits;
  engine: Pick<Engine, 'podman' | 'observe' | 'execute' | 'version'>;
  parts: NodeParts;
  control: Pick<Control, 'status'>;
  expected: Pick<ExpectedSource, 'current' | 'poll'>;
  shipper: LogShipper;
  opener: Pick<Opener, 'secrets'>;
  cursors: CursorFile;
  dataDir: string;
  alarm: Alarm;
  capabilities: () => Capability[];
  buildSlots: (resources: NodeResources) => number;
  publicAddress: () => string | null;
  wireguard: NonNullable<StatusReport['wireguard']>;
  onWork: (offers: readonly WorkOffer[]) => void;
  /** What is done, for the agent's log. */
  note: (line: string) => void;
  /** What goes wrong. */
  log: (line: string) => void;
  lookEveryMs: number;
}

export interface Loop {
  /** Cancels what is under way and waits for its end. */
  readonly stop: () => Promise<void>;
}

const probesAtOnce = 16;
const tailLines = 50;
const logsEveryMs = 1_000;
const cursorsEveryMs = 5_000;

export async function startLoop(options: LoopOptions): Promise<Loop> {
  const { clock, engine, alarm, log } = options;
  const memory = emptyMemory();
  const stopping = new AbortController();
  // As many as containers that are being stopped listen to it.
  setMaxListeners(0, stopping.signal);
  let seenLast: readonly SeenContainer[] = [];

  const masks = containerMasks({ open: options.opener.secrets, log });
  /** Whatever is created from it has its secrets known before. */
  const expected = (): ExpectedState | null =>
    masks.remember(options.expected.current(), new Set(seenLast.map(({ allocationId }) => allocationId)));
  const lastLines = lastLinesBy({ maskOf: masks.of, log });
  const isRunning = (containerId: string): boolean =>
    seenLast.some(({ local }) => local.containerId === containerId && local.state === 'running');
  const health = healthMonitor({
    clock,
    probe: prober({ exec: engine.podman.exec, isRunning }),
    concurrency: probesAtOnce,
    onChange: () => alarm.ring('health'),
  });
  const reports = reportsOf(options, memory);
  const resources = () => nodeResources({ dataDir: options.dataDir, engineVersion: engine.version });
  const report = (one: Report): void => {
    seenLast = one.seen;
    const { capabilities, buildSlots, publicAddress, wireguard } = options;
    const ports = { memory, health, resources, logTail: lastLines, capabilities, buildSlots, publicAddress, wireguard };
    reports.submit(() => composeReport(one, ports));
  };
  const stopEvents = followEvents({
    ...options,
    follow: (follow) => engine.podman.events(labelNames.allocationId, follow),
    onEvent: () => alarm.ring('engine_event'),
  });
  const logs = containerLogs({
    ...{ shipper: options.shipper, cursors: await options.cursors.read() },
    ...{ maskOf: masks.of, now: clock.now },
  });
  const stopLogs = every({ clock, milliseconds: logsEveryMs, log }, () => logs.follow(seenLast));
  const saveCursors = savingCursors(options.cursors, logs);
  const stopSaving = every({ clock, milliseconds: cursorsEveryMs, log }, saveCursors);
  const running = runLoop(memory, {
    ...options,
    signal: stopping.signal,
    observe: engine.observe,
    execute: engine.execute,
    logTail: lastLines,
    health,
    expected,
    current: options.expected.current,
    poll: options.expected.poll,
    report,
    log: options.note,
  });
  return {
    stop: async () => {
      stopping.abort(new Error('The agent stops.'));
      alarm.ring('stop');
      stopEvents();
      await Promise.all([stopLogs(), stopSaving()]);
      await running;
      await logs.close();
      health.stop();
      reports.stop();
      await saveCursors();
    },
  };
}

/** The last lines of a container's log, masked; none while its secrets are not known. */
function lastLinesBy({ maskOf, log }: { maskOf: ContainerMasks['of']; log: (line: string) => void }) {
  return async ({ allocationId, logPath: path, local }: SeenContainer): Promise<string[]> => {
    try {
      const mask = maskOf(allocationId);
      if (mask === null || path === null) return [];
      return await logTail({ path, mask, lines: tailLines, hasEnded: local.state !== 'running' });
    } catch (error) {
      // Its log explains a failure; without it the failure itself is still reported.
      log(`The log of ${allocationId} could not be read: ${messageOf(error)}`);
      return [];
    }
  };
}

function reportsOf(options: LoopOptions, memory: Memory): Reporter {
  const tellRefused = refusalsOnce(options.log);
  return reporter({
    ...options,
    send: options.control.status,
    onAnswer: (report, answer) => {
      forgetReported(memory, report.actions);
      tellRefused(answer);
      options.onWork(answer.work);
    },
  });
}

/** Says what of a report was not taken, when that has changed. */
function refusalsOnce(log: (line: string) => void): (answer: Pick<StatusAnswer, 'refused'>) => void {
  let last = '';
  return (answer) => {
    const refused = answer.refused.map(({ allocationId, code }) => `${allocationId} (${code})`).join(', ');
    if (refused !== '' && refused !== last) log(`Not taken of the report: ${refused}.`);
    last = refused;
  };
}

/** Writes down how far the logs were sent, when that has changed. */
function savingCursors(file: CursorFile, logs: Pick<ContainerLogs, 'cursors'>): () => Promise<void> {
  let saved = JSON.stringify(logs.cursors());
  return async () => {
    const cursors = logs.cursors();
    const now = JSON.stringify(cursors);
    if (now === saved) return;
    await file.write(cursors);
    saved = now;
  };
}
