/** Names that a shell, an option parser, a template or a path would take for something else, and a generator of more. */
import fc from 'fast-check';

/** What each of these would make where it is taken for more than a name. */
export const pwned = 'pwned-by-a-name';

export const hostileWords: readonly string[] = [
  ...[
    '-',
    '--',
    '-rf',
    '-c',
    '--help',
    `--upload-pack=touch ${pwned}`,
    `--exec=touch ${pwned}`,
    `-oProxyCommand=touch ${pwned}`,
  ],
  ...[
    `$(touch ${pwned})`,
    `\`touch ${pwned}\``,
    `; touch ${pwned}`,
    `| touch ${pwned}`,
    `&& touch ${pwned} #`,
    `' ; touch ${pwned} '`,
  ],
  ...[
    "it's",
    '"quoted"',
    'two words',
    ' leading',
    'trailing ',
    'line\nbreak',
    'carriage\rreturn',
    'tab\there',
    '\u001b[31mred',
  ],
  ...[
    '$HOME',
    '${IFS}',
    '$$',
    '%s%n',
    '%2e%2e',
    '%00',
    '{{.}}',
    '*',
    '?',
    '[a-z]',
    '{a,b}',
    '~',
    '~root',
    '!1',
    '#',
    '\\',
    'back\\slash',
  ],
  ...['a=b', '=', 'a,b', ',', 'a:b', ':', '@', '@{-1}', '^', 'a..b', '...', '..a', '.hidden', 'CON', 'aux.txt', 'nul'],
  ...['é', 'e\u0301', '日本語', '😀', '\u202egnp.exe', '\ufeffbom', '\u00a0', 'x'.repeat(200)],
];

const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileWords) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }) },
);

/** Any text but the null character, which no argument can hold. */
export const hostileText = fc
  .array(word, { minLength: 1, maxLength: 3 })
  .map((words) => words.join(''))
  .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text);

/** One name in a directory. */
export const hostileFileName = hostileText
  .map((text) => text.replaceAll('/', '∕'))
  .filter((name) => Buffer.byteLength(name) <= 255 && name !== '.' && name !== '..' && !/^\.git$/i.test(name));
