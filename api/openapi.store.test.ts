import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { useTestApi } from '../test/store/api.ts';

const api = useTestApi();

interface Operation {
  operationId?: string;
  security?: Record<string, unknown>[];
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}

const served = async () => (await api.fastify.inject('/api/v1/openapi.json')).json<unknown>();

describe('the OpenAPI document', () => {
  it('is served as it is committed in docs/openapi.json (npm run generate)', async () => {
    const committed: unknown = JSON.parse(readFileSync(new URL('../docs/openapi.json', import.meta.url), 'utf8'));
    expect(await served()).toEqual(committed);
  });

  it('names every operation once, with its answers, and who may call it', async () => {
    const document = (await served()) as { openapi: string; paths: Record<string, Record<string, Operation>> };
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('getExpectedState');
    for (const { path, operation } of operations) {
      expect(operation.responses['200']?.content?.['application/json']?.schema, path).toBeDefined();
      const open = ['/healthz', '/readyz', '/api/v1/agent/register'].includes(path);
      expect(operation.security?.length ?? 0, path).toBe(open ? 0 : 1);
    }
  });
});
