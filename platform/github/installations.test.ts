import { describe, expect, it } from 'vitest';
import { fakeGithub, json } from '../../test/fakes/github.ts';
import { GithubUnavailableError } from './errors.ts';
import { fetchInstallation, includesRepository } from './installations.ts';

const of = { installationId: 5, repositoryId: 9 };

describe('fetchInstallation', () => {
  it('gives what is used of it', async () => {
    const { app, asked } = fakeGithub(() =>
      json(200, {
        id: 5,
        account: { id: 1, login: 'acme', type: 'Organization', name: 'left out' },
        permissions: { contents: 'read' },
        suspended_at: '2030-01-01T00:00:00Z',
      }),
    );
    expect(await fetchInstallation(app.asApp(), 5)).toEqual({
      id: 5,
      account: { id: 1, login: 'acme', type: 'Organization' },
      permissions: { contents: 'read' },
      suspendedAt: new Date('2030-01-01T00:00:00Z'),
    });
    expect(asked).toMatchObject([{ method: 'GET', path: '/app/installations/5' }]);
  });

  it('is null when there is none', async () => {
    expect(await fetchInstallation(fakeGithub(() => json(404, {})).app.asApp(), 5)).toBeNull();
  });
});

describe('includesRepository', () => {
  it('asks for a token of that repository that can do next to nothing', async () => {
    const { app, asked } = fakeGithub(() => json(201, { token: 'ghs_x', expires_at: '2030-01-01T00:00:00Z' }));
    expect(await includesRepository(app.asApp(), of)).toBe(true);
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/app/installations/5/access_tokens',
        body: { repository_ids: [9], permissions: { metadata: 'read' } },
        authorization: expect.stringMatching(/^bearer ey/) as string,
      },
    ]);
  });

  it.each([
    ['the installation does not include it', 422],
    ['there is no such installation', 404],
  ])('is false when %s', async (_why, status) => {
    const { app } = fakeGithub(() => json(status, { message: 'no' }));
    expect(await includesRepository(app.asApp(), of)).toBe(false);
  });

  it.each([
    ['the installation is suspended', 403, { code: 'installation_suspended' }],
    ['GitHub is away', 502, { code: new GithubUnavailableError('away').code }],
  ])('does not say when %s', async (_why, status, error) => {
    const { app } = fakeGithub(() => json(status, { message: 'no' }));
    await expect(includesRepository(app.asApp(), of)).rejects.toMatchObject(error);
  });
});
