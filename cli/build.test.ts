import path from 'node:path';
import { expect, it } from 'vitest';
import { keepSourceLocation } from './build.mjs';

const root = path.join(import.meta.dirname, '..');

it('lets a bundle in dist/ find what lies beside a source file', () => {
  const file = path.join(root, 'sandbox', 'rest', 'description.ts');
  const source = [
    "const target = new URL('./gen/openapi.json', import.meta.url);",
    "const page = path.join(import.meta.dirname, 'page.html');",
    'const self = import.meta.filename;',
  ].join('\n');
  expect(keepSourceLocation(source, file).split('\n')).toEqual([
    `const target = new URL('./gen/openapi.json', new URL("../sandbox/rest/description.ts", import.meta.url).href);`,
    `const page = path.join((import.meta.dirname + "/../sandbox/rest"), 'page.html');`,
    `const self = (import.meta.dirname + "/../sandbox/rest/description.ts");`,
  ]);
});
