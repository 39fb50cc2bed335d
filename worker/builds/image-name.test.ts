import { Check } from 'typebox/value';
import { expect, it } from 'vitest';
import { Name } from '../../core/spec/service.ts';
import { imageName } from './image-name.ts';

const prefix = '127.0.0.1:7782/landfall';

it('P47: is made of the number of the repository, whatever it is called, and the service', () => {
  const called = (name: string): string => imageName(prefix, { repositoryId: 42, service: 'web', ...{ name } });
  expect(called('my.app')).toBe('127.0.0.1:7782/landfall/42/web');
  expect(called('renamed')).toBe(called('my.app'));
  expect(imageName(prefix, { repositoryId: 43, service: 'web' })).not.toBe(called('my.app'));
});

it.each(['web', 'a', 'a-b', 'a--b', 'x1'])(
  'is in the letters that image names allow, for the service %s',
  (service) => {
    expect(Check(Name, service)).toBe(true);
    const image = imageName(prefix, { repositoryId: 1_234_567_890, service });
    // The grammar of the distribution specification for a repository's name.
    expect(image.slice(image.indexOf('/') + 1)).toMatch(
      /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
    );
  },
);
