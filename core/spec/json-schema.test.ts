import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { landfallSchema } from './json-schema.ts';
import { parseProjectConfig } from './parse.ts';

const published = path.join(import.meta.dirname, '..', '..', 'docs', 'landfall.schema.json');
const ajv = new Ajv({ strict: false });
formats.default(ajv);
const accepts = ajv.compile(landfallSchema());

describe('the published schema of landfall.yml', () => {
  it('is the one that the fields make (npm run generate)', () => {
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(landfallSchema());
  });

  it.each([
    'version: 1',
    'services: { web: }',
    'services: { web: { build: ., port: 3000 }, jobs: { port: none, command: [run, it] } }',
    'services: { web: { health: { path: /up, interval: 5s }, resources: { cpu: 0.5, memory: 256Mi, pids: 9 } } }',
    'services: { web: { env: { A: b, N: 1, ON: true }, secrets: [TOKEN], replicas: 0, stop_grace: 1m30s } }',
    'x-small: &small { replicas: 1 }\nservices: { web: { <<: *small, port: 3000 } }',
    'environments: { production: { branch: main, url: "https://example.com", services: { web: { replicas: 2 } } } }',
  ])('accepts what the reader accepts: %s', (text) => {
    expect(accepts(parse(text, { merge: true })), JSON.stringify(accepts.errors)).toBe(true);
    expect(parseProjectConfig(text, 'landfall.yml').ok).toBe(true);
  });

  it.each([
    'version: 2',
    'service: {}',
    'services: { web: { x-port: 1 } }',
    'services: { Web: {} }',
    'services: { web: { prot: 80 } }',
    'services: { web: { port: 70000 } }',
    'services: { web: { port: any } }',
    'services: { web: { replicas: 1.5 } }',
    'services: { web: { command: [] } }',
    'services: { web: { resources: { memory: 256 } } }',
    'services: { web: { health: { interval: 5 } } }',
    'services: { web: { secrets: [a-b] } }',
    'services: { web: { env: { A: [1] } } }',
    'environments: { production: { services: { web: { port: 1 } } } }',
  ])('refuses what the reader refuses: %s', (text) => {
    expect(accepts(parse(text, { merge: true }))).toBe(false);
    expect(parseProjectConfig(text, 'landfall.yml').ok).toBe(false);
  });
});
