import { expect, it } from 'vitest';
import type { MasterKeyResource } from '../../core/contract/master-keys.ts';
import { renderMasterKeys } from './status.ts';

const key = (state: MasterKeyResource['state'], secrets: number): MasterKeyResource => ({ id: 'x', state, secrets });

it.each([
  ['nothing of one key', [key('current', 3)], /^$/],
  ['that an older key is needed', [key('current', 3), key('older', 1)], /Keep the older master keys: .* 1 secret/],
  ['that older keys can be dropped', [key('current', 3), key('older', 0)], /can be dropped/],
  ['that a key is missing', [key('current', 3), key('older', 0), key('missing', 2)], /2 secrets: .* missing/],
])('says %s', (_what, keys, sentence) => {
  expect(renderMasterKeys(keys)).toMatch(sentence);
});
