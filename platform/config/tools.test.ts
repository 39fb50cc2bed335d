import { expect, it } from 'vitest';
import { toolsEnvironment } from './tools.ts';

it('searches PATH first and then the system directories, each once', () => {
  const { searchPath } = toolsEnvironment({ PATH: '/opt/bin:/usr/sbin:/opt/bin:relative', HOME: '/home/ada' });
  expect(searchPath.slice(0, 3)).toEqual(['/opt/bin', '/usr/sbin', '/usr/local/sbin']);
  expect(new Set(searchPath).size).toBe(searchPath.length);
  expect(searchPath).not.toContain('relative');
});

it('keeps tools under XDG_CACHE_HOME, or under ~/.cache when that is unset or relative', () => {
  expect(toolsEnvironment({ XDG_CACHE_HOME: '/var/cache/ada', HOME: '/home/ada' }).cacheDir).toBe(
    '/var/cache/ada/landfall/tools',
  );
  expect(toolsEnvironment({ HOME: '/home/ada' }).cacheDir).toBe('/home/ada/.cache/landfall/tools');
  expect(toolsEnvironment({ XDG_CACHE_HOME: 'here', HOME: '/home/ada' }).cacheDir).toBe(
    '/home/ada/.cache/landfall/tools',
  );
});
