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
    ['ENV in its old form, with =', 'FROM a\nENV A PORT=1\nEXPOSE ${PORT:-5001}', 5001],
    ['ARG with a default', 'FROM a\nARG PORT=5002\nEXPOSE ${PORT}', 5002],
    ['a default in place', 'FROM a\nEXPOSE ${PORT:-5003}', 5003],
    ['a global ARG taken up', 'ARG PORT=5004\nFROM a\nARG PORT\nEXPOSE $PORT', 5004],
    ['no global ARG that is not', 'ARG PORT=5004\nFROM a\nEXPOSE $PORT', null],
    ['ENV of the parent stage', 'FROM a AS base\nENV PORT=5005\nFROM base\nEXPOSE $PORT', 5005],
    ['continued lines', 'FROM a\nEXPOSE \\\n# why\n  7000', 7000],
    ['CRLF and small letters', 'from a\r\nexpose 7001\r\n', 7001],
    ['no comment', 'FROM a\n# EXPOSE 1', null],
    ['no here-document', 'FROM a\nRUN <<-EOF\nEXPOSE 1\n\tEOF\nEXPOSE 7002', 7002],
    ['no here-documents, two at once', 'FROM a\nRUN <<A <<"B"\nEXPOSE 1\nA\nEXPOSE 2\nB\nEXPOSE 7003', 7003],
    ['nothing that is not a port', 'FROM a\nEXPOSE 99999 $X', null],
    ['nothing', '', null],
  ])('reads %s', (_what, dockerfile, port) => expect(exposedPort(dockerfile, none)).toBe(port));

  it('takes the target stage and the build arguments', () => {
    const dockerfile = 'FROM a AS Web\nARG PORT=1\nEXPOSE $PORT\nFROM b\nEXPOSE 2';
    expect(exposedPort(dockerfile, { target: 'web', args: { PORT: '9' } })).toBe(9);
    expect(exposedPort(dockerfile, { target: 'gone', args: {} })).toBe(null);
  });
});

describe('exposedPort of a hostile file', () => {
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');
  const fileOf = (line: string): string => line.repeat(Math.ceil(262_144 / line.length));

  it('takes a variable that doubles itself for one that is not set', () => {
    const doubling = `FROM a\nENV A0=8\n${lines(40, (i) => `ENV A${i + 1}=$A${i}$A${i}`)}`;
    expect(exposedPort(`${doubling}\nEXPOSE $A40 $A1`, none)).toBe(88);
  });

  it('reads no more when its variables have become too much', () => {
    const copies = `FROM a\nENV A=${'x'.repeat(4_000)}\n${lines(10_000, (i) => `ENV A${i}=$A`)}`;
    expect(exposedPort(`${copies}\nEXPOSE 2`, none)).toBeNull();
    const stages = `FROM a AS s\n${lines(5_000, (i) => `ENV A${i}=1`)}\n${lines(10_000, () => 'FROM s AS s')}`;
    expect(exposedPort(`${stages}\nEXPOSE 2`, none)).toBeNull();
  });

  it.each([
    ['here-documents', 'RUN <<A\nA\n'],
    ['here-documents on a line', `RUN ${'<<A '.repeat(60_000)}\n`],
    ['continued lines', 'ENV B=1 \\\n'],
    ['quotes that nothing closes', `ARG "${'\\"'.repeat(8_000)}\n`],
    ['braces that nothing closes', `EXPOSE ${'${A:-'.repeat(3_000)}\n`],
    ['white space', `ENV A${' '.repeat(16_000)}b=\n`],
    ['stages', 'FROM b AS c\n'],
    ['one long line', `ENV A${' '.repeat(262_144)}b=`],
  ])('is read in time: %s', (_what, line) => {
    expect(exposedPort(`FROM a\nEXPOSE 1\n${fileOf(line)}`, none)).toBe(line.startsWith('FROM') ? null : 1);
  });
});
