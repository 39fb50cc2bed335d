/** Decides what becomes of the bare copy of a repository that a node keeps for its builds. */

export type Mirror = {
  /** When a build last fetched into it. */
  usedAt: Date;
  /** A large fetch adds a pack, a small one loose objects. */
  packs: number;
  looseObjects: number;
};

export type MirrorCare = 'keep' | 'pack' | 'remove';

const unusedMs = 30 * 86_400_000;
/** More make git slow; packing them also drops what no build asks for any more. */
const packsAtMost = 50;
const looseObjectsAtMost = 5_000;

export function mirrorCare({ usedAt, packs, looseObjects }: Mirror, now: Date): MirrorCare {
  if (now.getTime() - usedAt.getTime() > unusedMs) return 'remove';
  return packs > packsAtMost || looseObjects > looseObjectsAtMost ? 'pack' : 'keep';
}
