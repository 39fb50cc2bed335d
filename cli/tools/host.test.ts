import { expect, it } from 'vitest';
import { archOf, isDebianLike } from './host.ts';

it.each([
  ['Debian', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', true],
  ['Ubuntu', 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true],
  ['Linux Mint', "ID=linuxmint\nID_LIKE='ubuntu debian'\n", true],
  ['Fedora', 'ID=fedora\nNAME="not debian"\n', false],
  ['nothing', '', false],
])('sees whether %s has apt', (_name, osRelease, expected) => {
  expect(isDebianLike(osRelease)).toBe(expected);
});

it('names processors as the archives do', () => {
  expect(archOf('x64')).toBe('amd64');
  expect(archOf('arm64')).toBe('arm64');
  expect(archOf('riscv64')).toBeNull();
});
