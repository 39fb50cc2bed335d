import { expect, it } from 'vitest';
import { renderServerUnit } from './unit.ts';

const unit = (parts: readonly string[] = []): string =>
  renderServerUnit({ node: '/usr/bin/node', script: '/opt/land fall/dist/server.js', parts });

it('runs all parts, or one, from where this checkout lies, as a user of its own', () => {
  expect(unit()).toContain(
    'ExecStart=/usr/bin/node --enable-source-maps --max-semi-space-size=4 "/opt/land fall/dist/server.js"\n',
  );
  expect(unit(['api'])).toContain('/dist/server.js" api\n');
  expect(unit()).toContain('\nUser=landfall\n');
});
