import { expect, it } from 'vitest';
import { manualClock, settle } from '../testing/manual-clock.ts';
import type { Child, Exit } from './child.ts';
import { supervise } from './supervise.ts';

interface FakeChild extends Child {
  end: (exit: Exit) => void;
  stopped: boolean;
}

function fakeChild(procRoot: string): FakeChild {
  let end: (exit: Exit) => void = () => undefined;
  const exited = new Promise<Exit>((resolve) => (end = resolve));
  const child: FakeChild = {
    ...{ pid: 1, exited, end, stopped: false, procRoot: () => procRoot },
    stop: () => {
      child.stopped = true;
      end({ kind: 'signal', signal: 'SIGTERM' });
      return Promise.resolve();
    },
  };
  return child;
}

function setUp() {
  const clock = manualClock();
  const children = [fakeChild('/proc/1/root/proc')];
  const lines: string[] = [];
  const start = (): Child => {
    const child = fakeChild(`/proc/${children.length + 1}/root/proc`);
    children.push(child);
    return child;
  };
  const supervised = supervise(children[0]!, {
    what: 'Podman',
    start,
    clock,
    pauseMs: 1_000,
    log: (line) => lines.push(line),
  });
  return { clock, children, lines, supervised };
}

it('starts a program again after a pause, as often as it ends', async () => {
  const { clock, children, lines, supervised } = setUp();
  children[0]?.end({ kind: 'signal', signal: 'SIGKILL' });
  await clock.advance(999);
  expect(children).toHaveLength(1);
  await clock.advance(1);
  expect(supervised.procRoot()).toBe('/proc/2/root/proc');
  children[1]?.end({ kind: 'code', code: 125 });
  await clock.advance(1_000);
  expect(children).toHaveLength(3);
  expect(lines[1]).toBe('Podman ended (exit code 125) and is started again.');
});

it('starts nothing again once it was stopped, in a pause too', async () => {
  const { clock, children, supervised } = setUp();
  children[0]?.end({ kind: 'code', code: 1 });
  await settle();
  await supervised.stop(0);
  await clock.advance(60_000);
  expect(children).toHaveLength(1);
  const other = setUp();
  await other.supervised.stop(0);
  await other.clock.advance(60_000);
  expect([other.children.length, other.children[0]?.stopped]).toEqual([1, true]);
});
