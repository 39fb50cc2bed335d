import { describe, expect, it } from 'vitest';
import { ownImagesOnly } from './source-rules.ts';

/** As the daemon decides: a star is any text, and the last rule that fits counts. */
function isAllowed(imageName: string, source: string): boolean {
  const fitting = ownImagesOnly(imageName).filter(({ identifier }) => {
    const parts = identifier.split('*').map((part) => part.replaceAll(/[.?+^${}()|[\]\\/]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(source);
  });
  return fitting.at(-1)?.action !== 'deny';
}

describe.each([
  ['with a path', 'registry.example.com/landfall'],
  ['without a path', '127.0.0.1:7782'],
])('in a registry %s', (_what, all) => {
  const own = (source: string): boolean => isAllowed(`${all}/42/web`, source);

  it('the images of the repository itself may be named, by tag and by digest', () => {
    expect(own(`docker-image://${all}/42/web:abc`)).toBe(true);
    expect(own(`docker-image://${all}/42/worker@sha256:abc`)).toBe(true);
  });

  it('P68: those of others may not, whatever their number begins with, nor by another scheme', () => {
    for (const source of [
      `docker-image://${all}/43/web:abc`,
      `docker-image://${all}/4/web`,
      `docker-image://${all}/421/web`,
      `docker-image://${all}/42`,
      `docker-image+blob://${all}/43/web@sha256:abc`,
      `oci-layout://${all}/42/web`,
    ])
      expect([source, own(source)]).toEqual([source, false]);
  });

  it('images from elsewhere may', () => {
    for (const source of ['docker-image://docker.io/library/node:24', 'git://github.com/acme/shop', 'local://context'])
      expect([source, own(source)]).toEqual([source, true]);
  });
});

it('images beside the path of ours are those of whoever keeps the registry', () => {
  const source = 'docker-image://registry.example.com/base/node:24';
  expect(isAllowed('registry.example.com/landfall/42/web', source)).toBe(true);
});
