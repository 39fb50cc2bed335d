import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { escapes, gzippedArchiveOf, type ArchiveEntry } from '../../test/hostile/archive.ts';
import { toolsEnvironment } from '../../platform/config/tools.ts';
import { thisHost, type ToolsHost } from './host.ts';
import { installTools, type InstallRequest } from './install.ts';
import { findPin, type Pin } from './pins.ts';
import { sightAll } from './sighting.ts';

let directory: string;
let host: ToolsHost;
let server: Server;
let downloads: number;
let archive: Buffer;
let lines: string[];

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A real archive with a real program that says its version. */
function makeArchive(version: string): Buffer {
  const content = mkdtempSync(path.join(directory, 'content-'));
  mkdirSync(path.join(content, 'bin'));
  const program = path.join(content, 'bin', 'landfall-test-tool');
  writeFileSync(program, `#!/bin/sh\necho "landfall-test-tool ${version}"\n`);
  chmodSync(program, 0o755);
  return execFileSync('tar', ['-czf', '-', '-C', content, '.']);
}

beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'landfall-install-'));
  const variables = { ...thisHost().environment.variables, XDG_CACHE_HOME: path.join(directory, 'cache') };
  host = { facts: thisHost().facts, environment: toolsEnvironment(variables) };
  downloads = 0;
  lines = [];
  archive = makeArchive('1.4.2');
  server = createServer((_request, response) => {
    downloads += 1;
    response.end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

function tool(fields: { sha256?: string; url?: string } = {}): Pin {
  const url = fields.url ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool.tar.gz`;
  const release = { url, sha256: fields.sha256 ?? sha256(archive) };
  return {
    name: 'landfall-test-tool',
    purpose: 'is installed',
    neededBy: [],
    version: '1.4.2',
    fits: { from: '1.4.0', before: '1.5.0' },
    programs: [{ name: 'landfall-test-tool', ask: ['--version'] }],
    release: { archives: { amd64: release, arm64: release }, members: ['./bin/landfall-test-tool'], strip: 0 },
  };
}

const request = (pin: Pin): InstallRequest => ({ pins: [pin], host, report: (line) => lines.push(line) });
/** The file of a tool's lock stays. */
const filesInCache = (): string[] =>
  readdirSync(path.join(directory, 'cache'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
    .map((entry) => entry.name);

it('installs a verified release, finds it afterwards, and does nothing the second time', async () => {
  const pin = tool();
  await installTools(request(pin));
  const sightings = await sightAll([pin], host);
  expect(sightings.get('landfall-test-tool')).toMatchObject([{ source: 'cache', version: [1, 4, 2] }]);
  expect(filesInCache()).toEqual(['landfall-test-tool']);
  await installTools(request(pin));
  expect(downloads).toBe(1);
  expect(lines.join('\n')).toMatch(/installing landfall-test-tool 1\.4\.2 from 127\.0\.0\.1/);
});

it('downloads once when two install at the same time', async () => {
  await Promise.all([installTools(request(tool())), installTools(request(tool()))]);
  expect(downloads).toBe(1);
});

it('P70: installs nothing from an archive whose checksum is wrong, and does not fall back to another route', async () => {
  const pin: Pin = { ...tool({ sha256: sha256(Buffer.from('what was published')) }), go: goRoute() };
  await expect(installTools(request(pin))).rejects.toMatchObject({ code: 'tool_checksum' });
  expect(filesInCache()).toEqual([]);
  expect(lines.join('\n')).not.toContain('Go');
});

it('refuses a release that says another version than the pinned one', async () => {
  archive = makeArchive('1.5.0');
  await expect(installTools(request(tool()))).rejects.toThrow(/says it is 1\.5\.0; ≥ 1\.4\.0, < 1\.5\.0 is needed/);
  expect(filesInCache()).toEqual([]);
});

it('puts a whole tool in the place of a broken one', async () => {
  const pin = tool();
  await installTools(request(pin));
  const [broken] = (await sightAll([pin], host)).get('landfall-test-tool') ?? [];
  writeFileSync(broken!.path, '#!/bin/sh\nexit 1\n');
  await installTools(request(pin));
  expect(readFileSync(broken!.path, 'utf8')).toContain('1.4.2');
});

describe('P69: an archive', () => {
  const program: ArchiveEntry = {
    name: './bin/landfall-test-tool',
    kind: 'file',
    content: '#!/bin/sh\necho "landfall-test-tool 1.4.2"\n',
  };
  const outside = (): string => path.join(directory, 'outside', 'file');
  /** As a pin would have it whose archive holds the tool in a folder of its own, and takes all of it. */
  const wholeTool = (): Pin => ({
    ...tool(),
    release: { ...tool().release!, members: [], strip: 0 },
  });

  beforeEach(() => {
    mkdirSync(path.dirname(outside()));
    writeFileSync(outside(), 'as it was', { mode: 0o600 });
  });

  const expectUntouched = (): void => {
    expect(readdirSync(path.dirname(outside()))).toEqual(['file']);
    expect(readFileSync(outside(), 'utf8')).toBe('as it was');
    expect(statSync(outside()).mode & 0o777).toBe(0o600);
  };

  it.each(Object.keys(escapes('/outside/file', '')))('writes nothing outside of its folder with %s', async (name) => {
    archive = gzippedArchiveOf([...escapes(outside(), 'overwritten')[name]!, program]);
    for (const pin of [tool(), wholeTool()]) {
      // Refused, or installed without what leads out.
      await installTools(request(pin)).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
      expectUntouched();
      rmSync(path.join(directory, 'cache'), { recursive: true, force: true });
    }
  });

  it('in which the tool itself is a link to a program outside is refused, and so is one without the tool', async () => {
    const made: [string, ArchiveEntry][] = [
      ['a link', { name: program.name, kind: 'symlink', to: outside() }],
      ['a hard link', { name: program.name, kind: 'hardlink', to: outside() }],
      ['a device', { name: program.name, kind: 'device' }],
      ['a pipe', { name: program.name, kind: 'fifo' }],
      ['a folder', { name: program.name, kind: 'directory' }],
      ['nothing', { name: './bin/other', kind: 'file', content: '' }],
    ];
    for (const [what, entry] of made) {
      archive = gzippedArchiveOf([entry]);
      await expect(installTools(request(tool())), what).rejects.toThrow();
      expect(filesInCache(), what).toEqual([]);
      expectUntouched();
    }
  });

  it('gives its programs neither an owner nor the right to become one', async () => {
    archive = gzippedArchiveOf([{ ...program, mode: 0o6755 }]);
    await installTools(request(tool()));
    const [installed] = (await sightAll([tool()], host)).get('landfall-test-tool') ?? [];
    expect(statSync(installed!.path).mode & 0o7000).toBe(0);
  });

  it('that is none, or ends in its middle, is refused', async () => {
    const whole = gzippedArchiveOf([program]);
    for (const broken of [Buffer.from('not an archive'), whole.subarray(0, whole.length / 2), Buffer.alloc(0)]) {
      archive = broken;
      await expect(installTools(request(tool()))).rejects.toThrow();
      expect(filesInCache()).toEqual([]);
    }
  });
});

function goRoute(): NonNullable<Pin['go']> {
  return findPin('wireguard-go')!.go!;
}

it('builds the pinned Go module when the release cannot be reached', async () => {
  const unreachable = tool({ url: 'http://127.0.0.1:1/tool.tar.gz' });
  const pin: Pin = { ...findPin('wireguard-go')!, release: unreachable.release! };
  // Nothing on PATH but Go, so that a wireguard-go of this machine is not taken.
  const go = (await sightAll([findPin('go')!], host)).get('go') ?? [];
  const searchPath = go.map((sighting) => path.dirname(sighting.path));
  const onlyGo: ToolsHost = { ...host, environment: { ...host.environment, searchPath } };
  await installTools({ ...request(pin), host: onlyGo });
  expect((await sightAll([pin], onlyGo)).get('wireguard-go')).toMatchObject([{ source: 'cache' }]);
  expect(lines.join('\n')).toMatch(/could not be downloaded: .*; building it instead/);
});
