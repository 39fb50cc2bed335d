/** Tells the errors of a path that is no longer there from those of one that cannot be read. */

export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** EINVAL is what readlink says of a path that has become something else than a symlink. */
export function isVanished(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL';
}

/** Null when the path is no longer there. */
export function unlessVanished<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isVanished(error)) return null;
    throw error;
  }
}
