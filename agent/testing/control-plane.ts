/** A small control plane for tests: the agent's contract over HTTP, real signatures, everything it heard kept as data. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import type { ObservedContainer, StatusReport } from '../../core/contract/status.ts';
import { ControlAnswers } from './control-answers.ts';
import { ControlState, type ControlPlaneOptions } from './control-state.ts';

export interface TestControlPlane extends ControlState {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Answers nothing until it is started again, on the same port. */
  readonly goAway: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<TestControlPlane> {
  const state = new ControlState(options);
  const answers = new ControlAnswers(state);
  let listening = await listen(answers, 0);
  return Object.assign(state, {
    url: `http://127.0.0.1:${listening.port}`,
    stop: () => listening.close(),
    goAway: () => listening.close(),
    comeBack: async () => {
      listening = await listen(answers, listening.port);
    },
  });
}

interface Listening {
  port: number;
  close: () => Promise<void>;
}

async function listen(answers: ControlAnswers, port: number): Promise<Listening> {
  const server = createServer((request, response) => void serve(answers, request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port: address.port, close };
}

async function serve(answers: ControlAnswers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url: target = '', headers } = request;
  const { status, body, etag } = await answers.answer({ method, target, headers, body: await buffer(request) });
  response.writeHead(status, { 'content-type': 'application/json', ...(etag === undefined ? {} : { etag }) });
  response.end(body === null ? undefined : JSON.stringify(body));
}

export function containerOf(report: StatusReport, allocationId: string): ObservedContainer | undefined {
  return report.containers.find((one) => one.allocationId === allocationId);
}

/** A container that serves HTTP with busybox; change what a test is about. */
export function expectedContainer(
  change: Partial<ExpectedContainer> & Pick<ExpectedContainer, 'image' | 'ip'>,
): ExpectedContainer {
  return {
    allocationId: '01900000-0000-7000-8000-00000000a001',
    serviceId: '01900000-0000-7000-8000-00000000b001',
    serviceName: 'web',
    environment: 'production',
    releaseId: '01900000-0000-7000-8000-00000000c001',
    generation: 1,
    specDigest: `sha256:${'0'.repeat(64)}`,
    command: [
      '/bin/sh',
      '-c',
      'echo serving; mkdir -p /www; echo hello > /www/index.html; exec /bin/sh -c "exec httpd -f -p 8080 -h /www"',
    ],
    env: {},
    sealedSecrets: null,
    port: 8080,
    resources: { cpuMillis: 500, memoryBytes: 64 * 1024 ** 2, pids: 64 },
    health: {
      kind: 'http',
      path: '/',
      intervalMs: 200,
      timeoutMs: 1_000,
      graceMs: 5_000,
      healthyAfter: 1,
      unhealthyAfter: 3,
    },
    stopGraceMs: 1_000,
    leasedUntil: null,
    ...change,
  };
}
