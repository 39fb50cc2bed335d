/** Finds the operation that serves a method and path. Some of GitHub's path parameters hold slashes. */
import { operationDescription } from '../openapi/description.ts';
import type { Operation } from './operation.ts';

const spanning = new Set(['path', 'ref', 'basehead', 'branch', 'environment_name']);

interface Route {
  readonly operation: Operation;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  /** More literal characters win: `/commits/{ref}/status` before `/commits/{ref}`. */
  readonly weight: number;
}

export interface RouteMatch {
  readonly operation: Operation;
  readonly params: Record<string, string>;
}

function escape(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function compile(operation: Operation): Route {
  const { method, path } = operationDescription(operation.id);
  const names: string[] = [];
  const pattern = path
    .split(/(\{[a-z_]+\})/)
    .map((part) => {
      if (!part.startsWith('{')) return escape(part);
      const name = part.slice(1, -1);
      names.push(name);
      return spanning.has(name) ? '(.*?)' : '([^/]+)';
    })
    .join('');
  const weight = path.replace(/\{[a-z_]+\}/g, '').length;
  // The contents of the root are asked for with and without the last slash.
  const tail = path.endsWith('/{path}') ? pattern.replace(/\/\(\.\*\?\)$/, '(?:/(.*?))?') : pattern;
  return { operation, method: method.toUpperCase(), pattern: new RegExp(`^${tail}/?$`), names, weight };
}

function decode(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function match(route: Route, path: string): Record<string, string> | null {
  const found = route.pattern.exec(path);
  if (found === null) return null;
  const params: Record<string, string> = {};
  for (const [at, name] of route.names.entries()) {
    const value = decode(found[at + 1] ?? '');
    if (value === null) return null;
    params[name] = value;
  }
  return params;
}

export class Router {
  readonly #operations: readonly Operation[];
  #routes: readonly Route[] | undefined;

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  /** `path` begins after the API's base, and is still percent-encoded. */
  find(method: string, path: string): RouteMatch | null {
    this.#routes ??= this.#operations.map(compile).sort((a, b) => b.weight - a.weight);
    for (const route of this.#routes) {
      if (route.method !== (method === 'HEAD' ? 'GET' : method)) continue;
      const params = match(route, path);
      if (params !== null) return { operation: route.operation, params };
    }
    return null;
  }
}
