import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machines } from './machines.ts';

let fleet: Machines;

beforeAll(async () => {
  fleet = await Machines.make();
});

afterAll(() => fleet.end());

const ping = ['busybox', 'ping', '-c', '1', '-W', '1'] as const;

describe('machines', () => {
  it('see each other over the public network, and nothing of each other’s processes and files', async () => {
    const [one, two] = await Promise.all([fleet.boot('one', 1), fleet.boot('two', 2)]);
    expect(await one.run([...ping, two.address])).toContain('1 packets received');
    expect((await one.run(['ps', '-e', '-o', 'comm='])).trim().split('\n').sort()).toEqual(['ps', 'sleep', 'tini']);
    await one.run(['touch', '/run/mine', '/dev/shm/mine']);
    await expect(two.run(['stat', '/run/mine'])).rejects.toThrow('No such file');
    await expect(two.run(['stat', '/dev/shm/mine'])).rejects.toThrow('No such file');
  });

  it('lose everything but their disk when the power is cut, and boot again', async () => {
    const three = await fleet.boot('three', 3);
    await three.run(['touch', '/run/mine', `${three.dir}/on-disk`]);
    const process = three.start(['sleep', '1000'], { env: { PATH: '/usr/bin:/bin' }, log: 'sleep.log' });
    await three.cut();
    await process.exited;
    expect(three.isOn).toBe(false);
    await three.boot();
    await expect(three.run(['stat', '/run/mine'])).rejects.toThrow('No such file');
    expect(await three.run(['stat', `${three.dir}/on-disk`])).toContain('on-disk');
    expect(await three.run([...ping, '10.77.0.1'])).toContain('1 packets received');
  });

  it('are cut off from each other link by link, and one way', async () => {
    const [four, five, six] = await Promise.all([fleet.boot('four', 4), fleet.boot('five', 5), fleet.boot('six', 6)]);
    await fleet.links.cut(4, 5);
    await expect(four.run([...ping, five.address])).rejects.toThrow();
    expect(await four.run([...ping, six.address])).toContain('1 packets received');
    await fleet.links.mend();
    expect(await four.run([...ping, five.address])).toContain('1 packets received');
    await fleet.links.cutOneWay(4, 6);
    await expect(six.run([...ping, four.address])).rejects.toThrow();
    expect(await five.run([...ping, four.address])).toContain('1 packets received');
    await fleet.links.mend();
  });

  it('behind a router call out, and are not called', async () => {
    const home = await fleet.behindNat(100);
    const [outside, inside] = await Promise.all([fleet.boot('outside', 7), fleet.boot('inside', 8, home)]);
    expect(inside.address).toBe('192.168.1.8');
    expect(await inside.run([...ping, outside.address])).toContain('1 packets received');
    await expect(outside.run([...ping, inside.address])).rejects.toThrow();
  });
});
