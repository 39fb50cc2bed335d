/** Reads what an image declares from its registry. */
import os from 'node:os';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { askRegistry, type RegistryTarget } from './access.ts';

export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const Descriptor = Type.Object({ digest: Type.String() });
const Index = Compile(
  Type.Object({
    manifests: Type.Array(
      Type.Object({
        digest: Type.String(),
        platform: Type.Optional(Type.Object({ os: Type.String(), architecture: Type.String() })),
      }),
    ),
  }),
);
const Manifest = Compile(Type.Object({ config: Descriptor }));
const ImageConfig = Compile(
  Type.Object({
    config: Type.Optional(Type.Object({ ExposedPorts: Type.Optional(Type.Record(Type.String(), Type.Unknown())) })),
  }),
);

/** The answer of a registry is not what the distribution specification says. */
export class RegistryUnintelligible extends Error {
  override readonly name = 'RegistryUnintelligible';
}

/**
 * TCP ports that the image declares with EXPOSE, ascending.
 * @param image `repository` and `sha256:…` in the target's registry.
 */
export async function exposedPorts(
  target: RegistryTarget,
  image: { repository: string; digest: string },
): Promise<number[]> {
  const top = await json(target, `${image.repository}/manifests/${image.digest}`);
  const manifest = Index.Check(top)
    ? await json(target, `${image.repository}/manifests/${digestFor(os.arch(), top.manifests)}`)
    : top;
  if (!Manifest.Check(manifest)) throw new RegistryUnintelligible(`${image.digest} is not a manifest of an image.`);
  const config = await json(target, `${image.repository}/blobs/${manifest.config.digest}`);
  if (!ImageConfig.Check(config)) throw new RegistryUnintelligible(`${image.digest} has no readable configuration.`);
  return tcpPorts(Object.keys(config.config?.ExposedPorts ?? {}));
}

/** Whether a repository has something under this tag or digest; no when it cannot be asked. */
export async function hasManifest(target: RegistryTarget, repository: string, reference: string): Promise<boolean> {
  try {
    return (await askRegistry(target, `${repository}/manifests/${reference}`, manifestTypes)).ok;
  } catch {
    // What follows asks the registry too, and says what is wrong with it.
    return false;
  }
}

/** `8080/tcp`, `8080`, never `53/udp`. */
export function tcpPorts(declared: readonly string[]): number[] {
  const ports = declared.flatMap((one) => {
    const [port = '', protocol = 'tcp'] = one.split('/');
    return protocol === 'tcp' && /^\d+$/.test(port) ? [Number(port)] : [];
  });
  return [...new Set(ports)].filter((port) => port >= 1 && port <= 65_535).sort((a, b) => a - b);
}

const ociArchitecture: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

function digestFor(
  arch: string,
  manifests: readonly { digest: string; platform?: { os: string; architecture: string } }[],
): string {
  const wanted = ociArchitecture[arch] ?? arch;
  const found = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === wanted);
  if (found === undefined) throw new RegistryUnintelligible(`The image has no variant for linux/${wanted}.`);
  return found.digest;
}

async function json(target: RegistryTarget, path: string): Promise<unknown> {
  const answer = await askRegistry(target, path, manifestTypes);
  if (!answer.ok)
    throw new RegistryUnintelligible(`The registry ${target.host} answered ${answer.status} for ${path}.`);
  return await answer.json();
}
