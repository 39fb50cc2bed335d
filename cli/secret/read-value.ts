/** Reads a secret's value: from a pipe as it is, from a person without showing it. Never from arguments, which every process can see. */
import { createInterface } from 'node:readline/promises';
import { Writable, type Readable } from 'node:stream';
import { maxSecretBytes } from '../../core/spec/service.ts';
import { InputError } from '../../platform/errors/errors.ts';

export interface Terminal {
  input: Readable & { isTTY?: boolean };
  /** For the question; what is typed is not written. */
  output: Writable;
}

/** @param question What a person is asked. Throws InputError when there is no value, or none that fits. */
export async function readValue(question: string, terminal: Terminal): Promise<string> {
  const value = terminal.input.isTTY === true ? await ask(question, terminal) : await readAll(terminal.input);
  if (value !== '') return value;
  throw new InputError(
    'secret_empty',
    'There is no value. Type it at the question, or give it on standard input: landfall secret set NAME < file',
  );
}

/** One line end at the end is not part of the value: `echo` and editors add it. */
async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    chunks.push(bytes);
    size += bytes.length;
    if (size > maxSecretBytes + 2) throw new InputError('secret_too_large', 'A secret holds at most 64 KiB.');
  }
  const text = decoded(Buffer.concat(chunks));
  return text.replace(/\r?\n$/, '');
}

function decoded(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\0') && Buffer.from(text).equals(bytes)) return text;
  throw new InputError(
    'secret_not_text',
    'The value is not text in UTF-8. A secret becomes a variable: encode what is binary, for example with base64.',
  );
}

async function ask(question: string, { input, output }: Terminal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  output.write(`${question}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('SIGINT', () => reject(new InputError('interrupted', 'Nothing was set.')));
      lines.once('close', () => resolve(''));
      lines.question('').then(resolve, reject);
    });
  } finally {
    lines.close();
    output.write('\n');
  }
}
