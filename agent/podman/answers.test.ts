import { describe, expect, it } from 'vitest';
import { parseContainers, parseEvent, type InspectedContainer, type ListedContainer } from './answers.ts';
import { EngineError } from './errors.ts';
import { seenContainer } from './observe.ts';
import { authHeader } from './image-calls.ts';

const listed: ListedContainer = {
  ...{ Id: 'c1', Names: ['landfall-web-1'], State: 'running', Pid: 7, ExitCode: 0, Image: 'r/web@sha256:1' },
  ...{ StartedAt: 1_800_000_000, Labels: { 'landfall.allocation.id': 'a1', 'landfall.spec': 'sha256:2' } },
};
const inspected: InspectedContainer = {
  Id: 'c1',
  State: { Status: 'running', Pid: 7, ExitCode: 0, OOMKilled: false, StartedAt: '2030-01-01T00:00:00.5Z' },
  Config: { StopTimeout: 10, StopSignal: 15 },
  HostConfig: { LogConfig: { Type: 'k8s-file', Path: '/x/ctr.log' } },
  NetworkSettings: { Networks: { landfall: { IPAddress: '10.200.1.2' } } },
};
const facts = { alive: true, network: 'landfall' };

describe('a container that was seen', () => {
  it('has what a plan and a report need', () => {
    expect(seenContainer(listed, inspected, facts)).toEqual({
      local: { containerId: 'c1', labels: listed.Labels, state: 'running', image: 'r/web@sha256:1', ip: '10.200.1.2' },
      ...{ allocationId: 'a1', exitCode: 0, outOfMemory: false, startedAt: new Date('2030-01-01T00:00:00.500Z') },
      logPath: '/x/ctr.log',
    });
  });

  it('P22: is dead when its process is gone', () => {
    for (const State of ['running', 'stopping'])
      expect(seenContainer({ ...listed, State }, inspected, { ...facts, alive: false }).local.state).toBe('dead');
  });

  it.each([
    ['created', 'created'],
    ['configured', 'created'],
    ['initialized', 'created'],
    ['exited', 'exited'],
    ['stopped', 'exited'],
    ['stopping', 'stopping'],
    ['paused', 'other'],
    ['removing', 'other'],
  ])('in the engine’s state %s is %s', (State, state) => {
    expect(seenContainer({ ...listed, State }, inspected, facts).local.state).toBe(state);
  });

  it('that never started has no time of start and no address', () => {
    const State = { ...inspected.State, StartedAt: '0001-01-01T00:00:00Z' };
    const created = { ...inspected, State, NetworkSettings: { Networks: { landfall: { IPAddress: '' } } } };
    expect(seenContainer(listed, created, facts)).toMatchObject({ startedAt: null, local: { ip: null } });
  });
});

describe('answers of the engine', () => {
  it('are taken with fields that nobody knows', () => {
    expect(parseContainers(JSON.stringify([{ ...listed, Surprise: 1 }]))).toHaveLength(1);
  });

  it.each(['{"Type":1}', 'not json', '{}'])('that make no sense are an error by code: %s', (text) => {
    const error = (() => {
      try {
        return parseEvent(text);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toHaveProperty('code', 'engine_unintelligible');
  });
});

it('sends credentials as the engine reads them: base64url with padding, whatever their length', () => {
  for (const password of ['a', 'ab', 'abc', 'ÿþ~~??']) {
    const header = authHeader({ username: 'u', password })['x-registry-auth'] ?? '';
    expect(header.length % 4).toBe(0);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ username: 'u', password });
  }
  expect(authHeader(null)).toEqual({});
});
