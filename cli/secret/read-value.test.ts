import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { maxSecretBytes } from '../../core/spec/service.ts';
import { InputError } from '../../platform/errors/errors.ts';
import { readValue } from './read-value.ts';

function screen(): { output: Writable; shown: () => string } {
  let text = '';
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { output, shown: () => text };
}

const piped = (...chunks: (string | Buffer)[]) =>
  readValue('Value', { input: Readable.from(chunks), output: screen().output });

const refusal = (reading: Promise<string>): Promise<string> =>
  reading.then(
    () => 'taken',
    (error: unknown) => (error instanceof InputError ? error.code : String(error)),
  );

describe('a value on standard input', () => {
  it.each([
    ['as it is', ['hunter2'], 'hunter2'],
    ['without the line end that echo adds', ['hunter2\n'], 'hunter2'],
    ['without the line end of Windows', ['hunter2\r\n'], 'hunter2'],
    ['with its own lines and spaces', [' a\n\nb \n'], ' a\n\nb '],
    ['that ends with an empty line, less one', ['a\n\n'], 'a\n'],
    ['cut within a character', [Buffer.from([0xc3]), Buffer.from([0xa9])], 'é'],
  ])('is taken %s', async (_what, chunks, value) => {
    expect(await piped(...chunks)).toBe(value);
  });

  it('is refused when it is empty, no text, or too large', async () => {
    expect(await refusal(piped())).toBe('secret_empty');
    expect(await refusal(piped('\n'))).toBe('secret_empty');
    expect(await refusal(piped(Buffer.from([0xff, 0xfe])))).toBe('secret_not_text');
    expect(await refusal(piped('a\0b'))).toBe('secret_not_text');
    expect(await refusal(piped('x'.repeat(maxSecretBytes), 'yyy'))).toBe('secret_too_large');
    expect(await piped('x'.repeat(maxSecretBytes), '\n')).toHaveLength(maxSecretBytes);
  });
});

describe('a value typed at the question', () => {
  const typed = (...keys: string[]) => {
    const { output, shown } = screen();
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
    const value = readValue('Value of TOKEN', { input, output });
    for (const key of keys) input.write(key);
    return { value, shown, input };
  };

  it('P65: is not shown', async () => {
    const { value, shown } = typed('hunt', 'er3', '\u007f', '2', '\r');
    expect(await value).toBe('hunter2');
    expect(shown()).toBe('Value of TOKEN: \n');
  });

  it('is given up with Ctrl-C, and empty is none', async () => {
    expect(await refusal(typed('hunter2', '\u0003').value)).toBe('interrupted');
    expect(await refusal(typed('\r').value)).toBe('secret_empty');
    const { value, input } = typed();
    input.end();
    expect(await refusal(value)).toBe('secret_empty');
  });
});
