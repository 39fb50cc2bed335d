import { expect, it } from 'vitest';
import { firstDifference } from './packages.mjs';

const wanted = {
  '': {},
  'node_modules/fastify': { version: '5.12.8' },
  'node_modules/@esbuild/darwin-arm64': { version: '0.28.2', optional: true },
  'node_modules/fsevents': { version: '2.3.3', devOptional: true },
};
const fastify = { 'node_modules/fastify': { version: '5.12.8' } };

it('is content when all but the packages of other platforms are installed', () => {
  expect(firstDifference(wanted, fastify)).toBeNull();
});

it('names a package that is missing, in a fresh clone the first', () => {
  expect(firstDifference(wanted, {})).toBe('fastify');
});

it('names a package of another version, an optional one too', () => {
  expect(firstDifference(wanted, { 'node_modules/fastify': { version: '5.12.7' } })).toBe('fastify');
  const old = { ...fastify, 'node_modules/@esbuild/darwin-arm64': { version: '0.27.0' } };
  expect(firstDifference(wanted, old)).toBe('@esbuild/darwin-arm64');
});
