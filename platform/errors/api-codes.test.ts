import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiError, apiErrors, type ApiErrorCode } from './api-codes.ts';

describe('API error codes', () => {
  it.each(Object.entries(apiErrors))('%s is an error status with a whole sentence', (_code, { status, message }) => {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message).toMatch(/^[A-Z].*\.$/);
  });

  it('gives an error the status and sentence of its code', () => {
    const error = new ApiError('lease_lost');
    expect([error.status, error.message]).toEqual([409, apiErrors.lease_lost.message]);
  });

  it('holds no code that nothing answers with', () => {
    const root = path.join(import.meta.dirname, '..', '..');
    const sources = ['api', 'bot', 'core', 'prisma/store'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
        .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
    );
    const text = sources.join('\n');
    const unused = Object.keys(apiErrors).filter(
      (code) => !code.startsWith('signature_') && !text.includes(`'${code}'`),
    );
    expect(unused).toEqual([]);
  });

  it('has a code for every refusal of a signature', () => {
    const refusals = 'missing malformed unknown_key stale clock_ahead bad_digest bad_signature replayed'.split(' ');
    for (const refusal of refusals) expect(apiErrors[`signature_${refusal}` as ApiErrorCode].status).toBe(401);
  });
});
