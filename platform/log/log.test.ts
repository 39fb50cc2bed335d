import { expect, it } from 'vitest';
import { createLog } from './log.ts';

function logged(fields: object): string {
  const lines: string[] = [];
  createLog({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }).info(
    fields,
    'said',
  );
  return lines.join('');
}

it.each([
  { token: 'canary-1' },
  { request: { authorization: 'canary-1' } },
  { a: { headers: { cookie: 'canary-1' } } },
  { config: { github: { privateKey: 'canary-1' } } },
  { body: { value: 'canary-1' } },
  { container: { secrets: { TOKEN: 'canary-1' } } },
])('P65: a secret does not reach the log: %j', (fields) => {
  expect(logged(fields)).not.toContain('canary-1');
  expect(logged(fields)).toContain('[redacted]');
});

it('says level, name, time and message', () => {
  const line = JSON.parse(logged({ nodeId: 'n1' })) as Record<string, unknown>;
  expect(line).toMatchObject({ level: 'info', name: 'test', nodeId: 'n1', msg: 'said' });
  expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});
