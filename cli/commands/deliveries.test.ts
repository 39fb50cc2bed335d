import { describe, expect, it } from 'vitest';
import type { DeliveryResource } from '../../core/contract/resources/deliveries.ts';
import { renderDeliveries } from './deliveries.ts';

const now = new Date('2030-01-01T00:00:00Z');
const push: DeliveryResource = {
  ...{ guid: 'g', event: 'push', action: null, repository: 'acme/shop' },
  ...{ ref: 'refs/heads/topic', sha: 'abcdef0'.padEnd(40, '1'), status: 'processed', reasonCode: null, reason: null },
  ...{ todo: null, attempts: 0, receivedAt: '2029-12-31T23:59:00Z', processedAt: '2029-12-31T23:59:01Z' },
};

describe('landfall deliveries', () => {
  it('shows what was pushed, why it was not deployed and what to do', () => {
    const ignored: DeliveryResource = {
      ...push,
      status: 'ignored',
      reasonCode: 'branch_not_deployed',
      reason: 'No environment deploys the branch topic; deployed are: main.',
      todo: 'Name the branch under environments in landfall.yml on the default branch.',
    };
    const tag = { ...ignored, ref: 'refs/tags/v1', reasonCode: 'ref_deleted', sha: '0'.repeat(40) };
    const gone = { ...tag, reason: 'The branch was deleted.', todo: 'Nothing; what runs keeps running.' };
    expect(renderDeliveries([push, ignored, gone], now).split('\n')).toEqual([
      'CAME     REPOSITORY  EVENT  REF           COMMIT   STATUS                         WHY',
      '60s ago  acme/shop   push   topic         abcdef0  processed',
      '60s ago  acme/shop   push   topic         abcdef0  ignored (branch_not_deployed)  No environment deploys the branch topic; deployed are: main. Name the branch under environments in landfall.yml on the default branch.',
      '60s ago  acme/shop   push   refs/tags/v1  –        ignored (ref_deleted)          The branch was deleted.',
    ]);
  });

  it('shows what is about no known repository, and that there are none', () => {
    const star = { ...push, event: 'star', action: 'created', repository: null, ref: null, sha: null };
    expect(renderDeliveries([star], now).split('\n')[1]).toBe(
      '60s ago  –           star.created  –    –       processed',
    );
    expect(renderDeliveries([], now)).toBe('There are none.');
  });
});
