/** Pushes a small image to a registry over its HTTP API: busybox and its names, nothing else. */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { archiveOf, type ArchiveEntry } from '../../test/hostile/archive.ts';
import { run } from '../process/run.ts';

export interface ImageOptions {
  /** `127.0.0.1:5000` */
  host: string;
  repository: string;
  user: { username: string; password: string };
  busybox: string;
  /** Told apart by what is in it. */
  marker: string;
  exposedPorts: readonly string[];
  /** Entries of the layer after those of busybox, as they are. */
  further?: readonly ArchiveEntry[];
}

const names = ['sh', 'httpd', 'sleep', 'cat', 'echo', 'mkdir', 'false', 'true', 'env', 'id', 'kill', 'head', 'ls'];

/** Answers `registry/repository@sha256:…`. */
export async function pushBusyboxImage(options: ImageOptions): Promise<string> {
  const layer = await busyboxLayer(options);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {
        Env: ['PATH=/bin'],
        Cmd: ['/bin/sleep', '1000'],
        ExposedPorts: Object.fromEntries(options.exposedPorts.map((port) => [port, {}])),
      },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const blob = gzipSync(layer);
  await pushBlob(options, blob);
  await pushBlob(options, config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(blob), size: blob.length }],
    }),
  );
  await put(options, `manifests/${options.marker}`, manifest, 'application/vnd.oci.image.manifest.v1+json');
  return `${options.host}/${options.repository}@${digestOf(manifest)}`;
}

async function busyboxLayer({ busybox, marker, further = [] }: ImageOptions): Promise<Buffer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'landfall-image-'));
  try {
    await mkdir(path.join(folder, 'root', 'bin'), { recursive: true });
    await cp(busybox, path.join(folder, 'root', 'bin', 'busybox'));
    for (const name of names) await symlink('busybox', path.join(folder, 'root', 'bin', name));
    await writeFile(path.join(folder, 'root', 'marker'), marker);
    const file = path.join(folder, 'layer.tar');
    const argv = [
      'tar',
      '--sort=name',
      '--mtime=@0',
      '--numeric-owner',
      '-C',
      path.join(folder, 'root'),
      '-cf',
      file,
      '.',
    ];
    await run({ argv, env: { PATH: '/usr/bin:/bin' }, deadlineMs: 30_000 });
    return Buffer.concat([withoutEnd(await readFile(file)), archiveOf(further)]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An archive ends with empty blocks; what stands behind them is not read. */
function withoutEnd(archive: Buffer): Buffer {
  let end = archive.length;
  while (end >= 512 && archive.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return archive.subarray(0, end);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function authorization({ user }: ImageOptions): string {
  return `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
}

async function pushBlob(options: ImageOptions, bytes: Buffer): Promise<void> {
  const base = `http://${options.host}/v2/${options.repository}/blobs/uploads/`;
  const begun = await fetch(base, { method: 'POST', headers: { authorization: authorization(options) } });
  const location = new URL(begun.headers.get('location') ?? '', base);
  location.searchParams.set('digest', digestOf(bytes));
  const headers = { authorization: authorization(options), 'content-type': 'application/octet-stream' };
  const done = await fetch(location, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  if (done.status !== 201) throw new Error(`The registry answered ${done.status} to a blob.`);
}

async function put(options: ImageOptions, what: string, bytes: Buffer, type: string): Promise<void> {
  const url = `http://${options.host}/v2/${options.repository}/${what}`;
  const headers = { authorization: authorization(options), 'content-type': type };
  const done = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  if (done.status !== 201) throw new Error(`The registry answered ${done.status} to ${what}.`);
}
