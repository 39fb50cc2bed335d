/** GitHub's API description, trimmed to what the sandbox serves and read from disk when first needed. */
import { readFileSync } from 'node:fs';
import type { Json } from './trim.ts';

export interface ParameterDescription {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: Json;
}

export interface OperationDescription {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Template such as `/repos/{owner}/{repo}`. */
  readonly path: string;
  readonly documentation: string;
  readonly parameters: readonly ParameterDescription[];
  readonly body: { readonly required: boolean; readonly schema: Json } | null;
  /** JSON schema of the body by status; `null` where the answer has none. */
  readonly answers: Readonly<Record<string, Json>>;
}

export interface Description {
  readonly operations: Readonly<Record<string, OperationDescription>>;
  /** Payload schema by webhook name, such as `push` or `check-run-rerequested`. */
  readonly webhooks: Readonly<Record<string, Json>>;
  readonly schemas: Readonly<Record<string, Json>>;
}

let loaded: Description | undefined;

export function description(): Description {
  loaded ??= JSON.parse(readFileSync(new URL('../gen/openapi.json', import.meta.url), 'utf8')) as Description;
  return loaded;
}

export function operationDescription(id: string): OperationDescription {
  const found = description().operations[id];
  if (found === undefined)
    throw new Error(`sandbox/gen/openapi.json does not describe ${id}: run \`npx tsx sandbox/generate.ts\`.`);
  return found;
}
