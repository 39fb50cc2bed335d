import { expect, it } from 'vitest';
import { imageName } from './image-name.ts';

const of = (owner: string, name: string, service = 'web'): string =>
  imageName('127.0.0.1:7782/landfall', { repositoryId: 42, owner, name, service });

it('is made of owner, repository and service', () => {
  expect(of('acme', 'shop')).toBe('127.0.0.1:7782/landfall/acme/shop/web');
});

it.each([
  ['Acme', 'My.Shop', 'acme/my-shop/web'],
  ['acme', '.github', 'acme/github/web'],
  ['acme', 'a__b--c', 'acme/a-b-c/web'],
  ['acme', '--', 'acme/repository-42/web'],
  ['acme', '_', 'acme/repository-42/web'],
])('takes %s/%s into the letters that image names allow', (owner, name, path) => {
  const image = of(owner, name);
  expect(image).toBe(`127.0.0.1:7782/landfall/${path}`);
  // The grammar of the distribution specification for a repository's name.
  expect(image.slice(image.indexOf('/') + 1)).toMatch(
    /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
  );
});
