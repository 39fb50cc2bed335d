/** Writes the contexts that are measured: one of few large files, one of many small ones. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const megabyte = 1024 * 1024;
const dockerfile = 'FROM scratch\nCOPY . /\n';

async function newContext(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-bench-'));
  await writeFile(join(folder, 'Dockerfile'), dockerfile);
  return folder;
}

/** 400 MB in 40 files that do not compress. */
export async function writeLargeContext(): Promise<string> {
  const folder = await newContext();
  for (let index = 0; index < 40; index++) {
    await writeFile(join(folder, `part-${index}`), randomBytes(10 * megabyte));
  }
  return folder;
}

/** 20,000 files in 200 directories, about 3 KB each. */
export async function writeManyFilesContext(): Promise<string> {
  const folder = await newContext();
  for (let directory = 0; directory < 200; directory++) {
    const path = join(folder, 'packages', `package-${directory}`);
    await mkdir(path, { recursive: true });
    const files = Array.from({ length: 100 }, (_, index) =>
      writeFile(join(path, `file-${index}.js`), `// ${directory}/${index}\n`.repeat(200)),
    );
    await Promise.all(files);
  }
  return folder;
}

export async function writeSmallContext(): Promise<string> {
  const folder = await newContext();
  await writeFile(join(folder, 'file'), 'content\n');
  return folder;
}
