import { expect, it } from 'vitest';
import { aptCommand, isDebianLike } from './debian.mjs';

it.each([
  ['Debian', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', true],
  ['Ubuntu', 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', true],
  ['Linux Mint', "ID=linuxmint\nID_LIKE='ubuntu debian'\n", true],
  ['Fedora', 'ID=fedora\nNAME="not debian"\n', false],
  ['nothing', '', false],
])('sees whether %s has apt', (_name, osRelease, expected) => {
  expect(isDebianLike(osRelease)).toBe(expected);
});

it('gives the whole command', () => {
  expect(aptCommand(['podman', 'runc'])).toBe(
    "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends podman runc'",
  );
});
