import { expect, it } from 'vitest';
import { startOptions } from './start.mjs';

const byDefault = { data: '.landfall', port: 7780, asksHelp: false };

it.each([
  [[], byDefault],
  [['--once', '--json'], byDefault],
  [['--data', '/srv/a', '--port', '9000'], { ...byDefault, data: '/srv/a', port: 9000 }],
  [['--data=/srv/a=b', '--port=9000'], { ...byDefault, data: '/srv/a=b', port: 9000 }],
  [['--port', '9000', '--port=9100'], { ...byDefault, port: 9100 }],
  [['--port', 'eighty'], { ...byDefault, port: null }],
  [['--port', '70000'], { ...byDefault, port: null }],
  [['--data'], byDefault],
  [['-h'], { ...byDefault, asksHelp: true }],
])('reads of %j where the data is to lie and which ports are to be taken', (args, options) => {
  expect(startOptions(args)).toEqual(options);
});
