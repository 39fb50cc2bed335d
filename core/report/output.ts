/** Renders the output of an intent's check run: summary, log tail, annotations. */
import { reasons } from '../intent/reasons.ts';
import { isTerminal } from '../rollout/stage.ts';
import { clip, clipLines, fenced, inline, lastLines, maxOutputBytes, maxTitle, plain } from './text.ts';
import { progressOf, servingUrl, stuckBuild, type Verdict } from './verdict.ts';
import type { BuildReport, IntentReport, RolloutReport } from './view.ts';
import type { CheckOutput } from './writes.ts';

const maxAnnotations = 50;
/** Room for fences and headings beside the log itself. */
const maxLogBytes = maxOutputBytes - 5_000;

/** What a check run says until it is updated, which may be at its end: nothing that the next minute makes untrue. */
export function openingOutput(intent: IntentReport): CheckOutput {
  return {
    title: clip(plain(`Deploying to ${intent.environment}`), maxTitle),
    summary: clipLines(
      [...opening(intent), 'Stages and logs are shown there as they come.'].join('\n\n'),
      maxOutputBytes,
    ),
  };
}

export function checkOutput(intent: IntentReport, verdict: Verdict | null, now: Date): CheckOutput {
  const annotations = verdict?.conclusion === 'failure' ? annotationsOf(intent) : [];
  const text = logsOf(verdict === null ? intent : { ...intent, builds: intent.builds.filter(hasFailed) });
  return {
    title: clip(plain(verdict?.title ?? progressOf(intent)), maxTitle),
    summary: clipLines(summary(intent, verdict, now), maxOutputBytes),
    ...(text === '' ? {} : { text }),
    ...(annotations.length === 0 ? {} : { annotations }),
  };
}

function summary(intent: IntentReport, verdict: Verdict | null, now: Date): string {
  const parts = [...opening(intent), ...(verdict === null ? waiting(intent, now) : [])];
  if (verdict && verdict.reason !== '') parts.push(inline(verdict.reason));
  if (verdict?.conclusion === 'failure' && verdict.code !== null)
    parts.push(`What to do: ${reasons[verdict.code].todo}`);
  const url = verdict?.state === 'success' ? servingUrl(intent) : null;
  if (url !== null) parts.push(`Serving at ${inline(url)}`);
  if (intent.builds.length + intent.rollouts.length > 0) parts.push(servicesTable(intent, now));
  const stages = intent.rollouts.toSorted(byService).flatMap(stageRows);
  if (stages.length > 0) parts.push(['| Service | Stage | After |', '|---|---|---|', ...stages].join('\n'));
  return parts.join('\n\n');
}

/** It may be the last that is told before the end, so it says when it was true. */
function waiting(intent: IntentReport, now: Date): string[] {
  const stuck = stuckBuild(intent);
  if (stuck === null) return [];
  const at = `${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return [
    `Since ${at} the build of ${inline(stuck.service)} waits: ${inline(stuck.reason ?? reasons.no_build_node.means)}`,
    `What to do: ${reasons.no_build_node.todo}`,
  ];
}

function opening(intent: IntentReport): string[] {
  return [heading(intent), ...(intent.notTaken === null ? [] : [inline(intent.notTaken)])];
}

function heading({ environment, sha, ref, consoleUrl }: IntentReport): string {
  const branch = inline(ref.replace(/^refs\/heads\//, ''));
  return `**${inline(environment)}** · \`${sha.slice(0, 7)}\` of ${branch} · [log and timeline](${consoleUrl})`;
}

function hasFailed({ status }: BuildReport): boolean {
  return status === 'failed';
}

function servicesTable({ builds, rollouts }: IntentReport, now: Date): string {
  const names = [...new Set([...builds, ...rollouts].map(({ service }) => service))].sort();
  const rows = names.map((name) => {
    const build = builds.find(({ service }) => service === name);
    const rollout = rollouts.find(({ service }) => service === name);
    return `| ${inline(name)} | ${build ? buildCell(build, now) : '–'} | ${rollout ? rolloutCell(rollout) : '–'} |`;
  });
  return ['| Service | Build | Rollout |', '|---|---|---|', ...rows].join('\n');
}

function buildCell({ status, startedAt, finishedAt, reason }: BuildReport, now: Date): string {
  const took = startedAt ? ` ${finishedAt ? 'in' : 'for'} ${seconds(startedAt, finishedAt ?? now)}` : '';
  const why = status === 'failed' && reason !== null ? `: ${inline(clip(reason, 300))}` : '';
  return `${status}${took}${why}`;
}

function rolloutCell({ stage, createdAt, events, reason }: RolloutReport): string {
  const last = events.at(-1);
  const took = isTerminal(stage) && last ? ` after ${seconds(createdAt, last.at)}` : '';
  const why = stage !== 'running' && reason !== null ? `: ${inline(clip(reason, 300))}` : '';
  return `${inline(stage)}${took}${why}`;
}

function stageRows({ service, events }: RolloutReport): string[] {
  return events.map(({ stage, at }, index) => {
    const before = events[index - 1];
    return `| ${inline(service)} | ${inline(stage)} | ${before ? seconds(before.at, at) : at.toISOString()} |`;
  });
}

/** The tails of what goes on or failed, the last lines first to stay when there is too much. */
function logsOf({ builds, rollouts }: IntentReport): string {
  const tails = [
    ...builds.toSorted(byService).map(({ service, logTail }) => ({ heading: `Build of ${service}`, lines: logTail })),
    ...rollouts
      .toSorted(byService)
      .map(({ service, lastLog }) => ({ heading: `Last lines of ${service}`, lines: lastLog })),
  ].filter(({ lines }) => lines.length > 0);
  const share = Math.floor(maxLogBytes / Math.max(1, tails.length));
  const blocks = tails.map(
    ({ heading, lines }) => `### ${inline(heading)}\n\n${fenced(lastLines(lines, share).join('\n'))}`,
  );
  return clipLines(blocks.join('\n\n'), maxOutputBytes);
}

function annotationsOf({ builds }: IntentReport): NonNullable<CheckOutput['annotations']> {
  return builds
    .toSorted(byService)
    .flatMap(({ annotations }) => annotations)
    .slice(0, maxAnnotations)
    .map(({ path, line, endLine, message }) => ({
      path: plain(path),
      start_line: line,
      end_line: Math.max(line, endLine),
      annotation_level: 'failure' as const,
      message: clip(plain(message), 4_000),
    }));
}

function seconds(from: Date, until: Date): string {
  return `${((until.getTime() - from.getTime()) / 1_000).toFixed(1)} s`;
}

function byService(a: { service: string }, b: { service: string }): number {
  return a.service < b.service ? -1 : 1;
}
