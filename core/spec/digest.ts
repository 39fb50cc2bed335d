/** Digests of values: the same for the same content, whatever the order of keys. */
import { createHash } from 'node:crypto';

/** JSON with sorted keys; properties that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? sortKeys(inner) : inner));
}

/** `sha256:` and 64 hex digits over the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortKeys(record: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  // Without a prototype, so that a key named __proto__ stays a key.
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, unknown>;
}
