import { expect, it } from 'vitest';
import type { StalledError } from '../../platform/errors/errors.ts';
import { migrate } from '../migrate.ts';

it('says which database cannot be reached, and which variable names it', async () => {
  const error = await migrate('postgres://user:canary@127.0.0.1:1/landfall').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'database_unreachable',
    message: 'PostgreSQL at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    hint: expect.stringContaining('DATABASE_URL') as string,
  } satisfies Partial<StalledError>);
});
