/** What agents say is stored as text of PostgreSQL, which has neither NUL nor halves of surrogate pairs. */

export function storableText(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\ufffd')).toString();
}

/** The same JSON value with every text made storable. */
export function storable<T>(value: T): T;
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map((item: unknown) => storable(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storable(item as unknown)]));
}
