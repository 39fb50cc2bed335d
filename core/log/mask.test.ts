import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMask, masked, maskText } from './mask.ts';

function stream(chunks: readonly string[], secrets: readonly string[]): string {
  const mask = createMask(secrets);
  return chunks.map((chunk) => mask.write(chunk)).join('') + mask.end();
}

/** Cuts a text at these places. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
  return sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
}

const secret = 'hunter2-correct/horse+battery';

describe('mask', () => {
  it('P65: masks a secret as it is, by line and as encoders write it', () => {
    const forms = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const form of forms) {
      const shown = maskText(`before ${form} after`, [secret]);
      expect(shown).toMatch(/^before \*\*\*=* after$/);
    }
    const key = '-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----\n';
    expect(maskText('x mnopqrstuvwx y', [key])).toBe(`x ${masked} y`);
    expect(maskText(JSON.stringify({ key }), [key])).toBe(`{"key":"${masked}"}`);
  });

  it('P65: masks a token inside an encoded header, whatever stands before it', () => {
    for (const user of ['x-access-token', 'me', 'abc', 'ab']) {
      const shown = maskText(`Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`, [secret]);
      expect(shown).toContain(masked);
      const left = Buffer.from(shown.replace('Basic ', '').replace(masked, ''), 'base64').toString();
      expect(left).not.toContain(secret.slice(2, -2));
    }
  });

  it('P65: shows the same however the text is cut into chunks, and never a whole secret', () => {
    const secrets = ['abcab', 'abcabcabd', 'bcabd', 'dada', 'line one\nline two!'];
    const letters = fc.constantFrom('a', 'b', 'c', 'd', 'abcab', 'line one\n', 'line two!', '\n', ' ');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 12 }), (parts, places) => {
        const text = parts.join('');
        const whole = maskText(text, secrets);
        expect(stream(cut(text, places), secrets)).toBe(whole);
        for (const one of secrets) expect(whole).not.toContain(one);
      }),
      { numRuns: 500 },
    );
  });

  it('passes on at once what cannot be part of a secret', () => {
    const mask = createMask([secret]);
    expect(mask.write('Step 1/3 : FROM scratch\n')).toBe('Step 1/3 : FROM scratch\n');
    expect(mask.write('token=hunt')).toBe('token=');
    expect(mask.write('ing season\n')).toBe('hunting season\n');
    expect(mask.end()).toBe('');
  });

  it('masks overlapping secrets as one', () => {
    expect(maskText('x abcdefghi y', ['abcdef', 'defghi'])).toBe(`x ${masked} y`);
    for (let at = 1; at < 12; at++) {
      const whole = 'x abcdefghi y';
      expect(stream([whole.slice(0, at), whole.slice(at)], ['abcdef', 'defghi'])).toBe(`x ${masked} y`);
    }
  });

  it('holds back less than a secret, however long one goes on', () => {
    const mask = createMask(['aaaa', 'aaab']);
    const shown = Array.from({ length: 10_000 }, () => mask.write('aaaaaaaaaa'));
    expect(shown.join('')).toBe(masked);
    expect(mask.write('c')).toBe('c');
    expect(mask.write('xaaab') + mask.end()).toBe(`x${masked}`);
  });

  it('leaves values alone that are too short to be told from words', () => {
    expect(maskText('on and on', ['on', '', ' a '])).toBe('on and on');
    expect(maskText('anything', [])).toBe('anything');
  });
});
