/** Looks into what nobody has checked: an error of a library's, the body of a refusal. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
