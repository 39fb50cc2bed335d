import { describe, expect, it } from 'vitest';
import { isDiskTight, nextLookMs, unneededImages, type HeldImage } from './images.ts';

const now = new Date('2030-01-10T00:00:00Z');
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
const roomy = { now, isTight: false };
const tight = { now, isTight: true };
const image = (...names: string[]): HeldImage => ({ names, containers: 0 });
const nothing = { containers: [], keptImages: [] };

describe('unneededImages', () => {
  it('P81: lets go only of what the agent pulled, and keeps what a container or a recent release needs', () => {
    const names = ['r/old@1', 'r/kept@2', 'r/expected@3', 'r/used@4'];
    const images = [...names.slice(0, 3).map((name) => image(name)), { ...image('r/used@4'), containers: 1 }];
    const pulled = new Map(names.map((name) => [name, ago(100)]));
    const expected = { containers: [{ image: 'r/expected@3' } as never], keptImages: ['r/kept@2'] };
    const held = { images: [...images, image('docker.io/library/postgres:17'), image('r/other@9')], pulled };
    expect(unneededImages(held, expected, roomy)).toEqual(['r/old@1']);
  });

  it("lets go of its own name of an image that has another's too", () => {
    const held = { images: [image('r/web@1', 'localhost/mine:latest')], pulled: new Map([['r/web@1', ago(100)]]) };
    expect(unneededImages(held, nothing, roomy)).toEqual(['r/web@1']);
  });

  it('keeps what was pulled within a day, unless the disk is tight; the oldest goes first', () => {
    const pulled = new Map([
      ['r/b@1', ago(30)],
      ['r/a@1', ago(23)],
      ['r/c@1', ago(40)],
    ]);
    const held = { images: [image('r/a@1'), image('r/b@1'), image('r/c@1')], pulled };
    expect(unneededImages(held, nothing, roomy)).toEqual(['r/c@1', 'r/b@1']);
    expect(unneededImages(held, nothing, tight)).toEqual(['r/c@1', 'r/b@1', 'r/a@1']);
  });

  it('removes nothing for a control plane that does not say what stays', () => {
    const held = { images: [image('r/a@1')], pulled: new Map([['r/a@1', ago(100)]]) };
    expect(unneededImages(held, { containers: [] }, tight)).toEqual([]);
  });
});

it('looks at most once an hour, and once a day while there is room', () => {
  expect([nextLookMs(true), nextLookMs(false)]).toEqual([3_600_000, 86_400_000]);
  expect(isDiskTight({ diskBytes: 100, diskFreeBytes: 9 })).toBe(true);
  expect(isDiskTight({ diskBytes: 100, diskFreeBytes: 10 })).toBe(false);
});
