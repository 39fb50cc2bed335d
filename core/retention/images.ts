/** Decides which images a node lets go of: those that it pulled itself, and that neither a container nor a recent release needs (P81). */
import type { ExpectedState } from '../contract/expected-state.ts';

/** An image of the engine. */
export type HeldImage = {
  /** `registry/repository@sha256:…`, and whatever others call it. */
  names: readonly string[];
  /** That use it, running or not, ours or not. */
  containers: number;
};

export type Holdings = {
  images: readonly HeldImage[];
  /** When this node's agent pulled what, by name: nothing else is ever let go of. */
  pulled: ReadonlyMap<string, Date>;
};

const day = 86_400_000;

/** Names to remove, the one pulled first first. Without pressure what was pulled within a day stays: it may come back. */
export function unneededImages(
  { images, pulled }: Holdings,
  expected: Pick<ExpectedState, 'containers' | 'keptImages'>,
  { now, isTight }: { now: Date; isTight: boolean },
): string[] {
  if (expected.keptImages === undefined) return [];
  const needed = new Set([...expected.keptImages, ...expected.containers.map(({ image }) => image)]);
  const before = now.getTime() - (isTight ? 0 : day);
  return images
    .filter(({ containers }) => containers === 0)
    .flatMap(({ names }) => names)
    .map((name) => ({ name, at: pulled.get(name)?.getTime() ?? null }))
    .flatMap(({ name, at }) => (at === null || at > before || needed.has(name) ? [] : [{ name, at }]))
    .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** Less than a tenth of the disk is left. */
export function isDiskTight({ diskBytes, diskFreeBytes }: { diskBytes: number; diskFreeBytes: number }): boolean {
  return diskFreeBytes < diskBytes / 10;
}

/** How long until images are looked at again. */
export function nextLookMs(isTight: boolean): number {
  return isTight ? day / 24 : day;
}
