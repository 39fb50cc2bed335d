import { expect, it } from 'vitest';
import type { BuildResource } from '../../core/contract/resources/builds.ts';
import { renderBuilds, renderCancelled } from './build.ts';

const build: BuildResource = {
  ...{ id: 'b1', repository: 'acme/shop', service: 'web', sha: 'a'.repeat(40), ref: 'refs/heads/main' },
  ...{ status: 'building', reasonCode: null, reason: null, image: null, attempt: 1, nodeName: 'web-1', timings: null },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, finishedAt: null },
};
const now = new Date('2026-01-01T00:01:00Z');

it('shows where each build is, and why it ended', () => {
  const cancelled: BuildResource = {
    ...build,
    id: 'b0',
    status: 'cancelled',
    reason: 'ada cancelled it.',
    nodeName: null,
  };
  expect(renderBuilds([build, cancelled], now).split('\n')).toEqual([
    expect.stringMatching(/^ID +MADE +REPOSITORY +SERVICE +COMMIT +STATUS +NODE +WHY/),
    expect.stringMatching(/^b1 +60s ago +acme\/shop +web +aaaaaaa +building +web-1/),
    expect.stringMatching(/^b0 .* cancelled +– +ada cancelled it\.$/),
  ]);
  expect(renderBuilds([], now)).toContain('makes the first');
});

it('says of a build that has ended that there is nothing to cancel', () => {
  expect(renderCancelled({ ...build, status: 'cancelled' })).toBe(
    'The build b1 of web is cancelled. What runs keeps running.',
  );
  expect(renderCancelled({ ...build, status: 'failed', reason: 'It took too long.' })).toBe(
    'The build b1 of web has ended already: failed, It took too long.',
  );
});
