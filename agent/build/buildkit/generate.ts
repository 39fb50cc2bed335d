/** Writes agent/build/buildkit/gen/: TypeScript for the messages in proto/, made offline by the installed buf and protoc-gen-es. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

function binary(packageName: string, path: string): string {
  return join(dirname(require.resolve(`${packageName}/package.json`)), path);
}

const template = {
  version: 'v2',
  clean: true,
  inputs: [{ directory: 'proto' }],
  plugins: [
    {
      local: [process.execPath, binary('@bufbuild/protoc-gen-es', 'bin/protoc-gen-es')],
      out: 'gen',
      opt: ['target=ts', 'import_extension=ts'],
    },
  ],
};

execFileSync(
  process.execPath,
  [binary('@bufbuild/buf', 'bin/buf'), 'generate', '--template', JSON.stringify(template)],
  { cwd: here, stdio: 'inherit' },
);
