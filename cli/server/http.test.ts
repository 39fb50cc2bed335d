import pino from 'pino';
import { expect, it } from 'vitest';
import { createHttp } from './http.ts';

async function refusalOf(url: string, method: 'GET' | 'POST' = 'GET'): Promise<unknown> {
  const http = createHttp(pino({ level: 'silent' }));
  http.get('/intents/:id', () => 'found');
  http.get('/broken', () => {
    throw new Error('a password');
  });
  const answer = await http.inject({ url, method });
  await http.close();
  const { error } = answer.json<{ error: { code: string; message: string } }>();
  expect(Object.keys(error)).toEqual(['code', 'message', 'hint']);
  expect(answer.body).not.toContain('password');
  return `${answer.statusCode} ${error.code}`;
}

it.each([
  ['an unknown route', '/x', '404 not_found'],
  ['a path that cannot be decoded', '/intents/%ff', '400 invalid_request'],
  ['a name that is too long', `/intents/${'a'.repeat(200)}`, '404 not_found'],
  ['a route that breaks', '/broken', '500 internal'],
])('answers %s in the shape of all errors', async (_what, url, expected) => {
  expect(await refusalOf(url)).toBe(expected);
});

it('answers an unknown method in the shape of all errors', async () => {
  expect(await refusalOf('/intents/1', 'POST')).toBe('404 not_found');
});

it('waits for no request for ever', async () => {
  const http = createHttp(pino({ level: 'silent' }));
  expect(http.server.requestTimeout).toBe(60_000);
  await http.close();
});
