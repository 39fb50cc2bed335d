import { describe, expect, it } from 'vitest';
import { exposedPort } from './dockerfile.ts';

const none = { target: null, args: {} };

describe('exposedPort', () => {
  it.each([
    ['the last stage', 'FROM a AS build\nEXPOSE 1\nFROM b\nEXPOSE 3000', 3000],
    ['a stage it is made from', 'FROM a AS base\nEXPOSE 4000\nFROM base\nRUN x', 4000],
    ['no stage it only copies from', 'FROM a AS build\nEXPOSE 1\nFROM b\nCOPY --from=build / /', null],
    ['TCP before UDP', 'FROM a\nEXPOSE 53/udp 80/tcp', 80],
    ['a range', 'FROM a\nEXPOSE 8000-8010', 8000],
    ['ENV', 'FROM a\nENV PORT=5000 OTHER="x y"\nEXPOSE $PORT', 5000],
    ['ENV in its old form', 'FROM a\nENV PORT 5001\nEXPOSE ${PORT}/tcp', 5001],
    ['ARG with a default', 'FROM a\nARG PORT=5002\nEXPOSE ${PORT}', 5002],
    ['a default in place', 'FROM a\nEXPOSE ${PORT:-5003}', 5003],
    ['a global ARG taken up', 'ARG PORT=5004\nFROM a\nARG PORT\nEXPOSE $PORT', 5004],
    ['no global ARG that is not', 'ARG PORT=5004\nFROM a\nEXPOSE $PORT', null],
    ['ENV of the parent stage', 'FROM a AS base\nENV PORT=5005\nFROM base\nEXPOSE $PORT', 5005],
    ['continued lines', 'FROM a\nEXPOSE \\\n# why\n  7000', 7000],
    ['CRLF and small letters', 'from a\r\nexpose 7001\r\n', 7001],
    ['no comment', 'FROM a\n# EXPOSE 1', null],
    ['no here-document', 'FROM a\nRUN <<-EOF\nEXPOSE 1\n\tEOF\nEXPOSE 7002', 7002],
    ['nothing that is not a port', 'FROM a\nEXPOSE 99999 $X', null],
    ['nothing', '', null],
  ])('reads %s', (_what, dockerfile, port) => expect(exposedPort(dockerfile, none)).toBe(port));

  it('takes the target stage and the build arguments', () => {
    const dockerfile = 'FROM a AS Web\nARG PORT=1\nEXPOSE $PORT\nFROM b\nEXPOSE 2';
    expect(exposedPort(dockerfile, { target: 'web', args: { PORT: '9' } })).toBe(9);
    expect(exposedPort(dockerfile, { target: 'gone', args: {} })).toBe(null);
  });
});
