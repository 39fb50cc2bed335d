/** Asks one container once whether it serves. Every answer, and every error, is a result. */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { ProbeResult } from '../../core/health/health.ts';
import type { HealthCheck } from '../../core/spec/service.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { DeadlineExceeded, withDeadline } from '../process/deadline.ts';

export interface ProbeTarget {
  containerId: string;
  ip: string;
  port: number | null;
  check: HealthCheck;
}

export interface ProbePorts {
  exec: (containerId: string, command: readonly string[], signal: AbortSignal) => Promise<number>;
  isRunning: (containerId: string) => boolean;
}

export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

export function prober(ports: ProbePorts): Probe {
  return async (target, signal) => {
    const { check } = target;
    try {
      return await withDeadline({ what: `The ${check.kind} check`, milliseconds: check.timeoutMs, signal }, (bounded) =>
        ask(target, ports, bounded),
      );
    } catch (error) {
      return { ok: false, message: sentence(target, error) };
    }
  };
}

async function ask(target: ProbeTarget, ports: ProbePorts, signal: AbortSignal): Promise<ProbeResult> {
  const { check } = target;
  switch (check.kind) {
    case 'http':
      return httpResult(await httpStatus(target, check.path, signal), target, check.path);
    case 'tcp':
      await tcpConnect(target, signal);
      return { ok: true };
    case 'command': {
      const code = await ports.exec(target.containerId, check.command, signal);
      return code === 0 ? { ok: true } : { ok: false, message: `${check.command.join(' ')} exited with ${code}.` };
    }
    case 'running':
      return ports.isRunning(target.containerId) ? { ok: true } : { ok: false, message: 'The container does not run.' };
  }
}

/** A redirect counts as an answer: what serves may send people elsewhere. */
function httpResult(status: number, target: ProbeTarget, path: string): ProbeResult {
  if (status >= 200 && status < 400) return { ok: true };
  return { ok: false, message: `GET ${path} on port ${target.port ?? 0} answered ${status}.` };
}

function httpStatus(target: ProbeTarget, path: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'landfall-health', connection: 'close' };
    const outgoing = request(
      { host: target.ip, port: portOf(target), path, method: 'GET', headers, signal, agent: false },
      (answer) => {
        resolve(answer.statusCode ?? 0);
        answer.destroy();
      },
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

function tcpConnect(target: ProbeTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.ip, port: portOf(target), signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function portOf(target: ProbeTarget): number {
  if (target.port === null) throw new Error(`a ${target.check.kind} check needs a port`);
  return target.port;
}

function sentence(target: ProbeTarget, error: unknown): string {
  const where = target.port === null ? '' : ` on port ${target.port}`;
  if (error instanceof DeadlineExceeded) {
    return `The ${target.check.kind} check${where} had no answer within ${target.check.timeoutMs} ms.`;
  }
  return `The ${target.check.kind} check${where} failed: ${messageOf(error)}`;
}
