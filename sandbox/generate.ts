/** Writes sandbox/gen/openapi.json: GitHub's API description, trimmed to the operations and webhooks the sandbox serves. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Description, OperationDescription, ParameterDescription } from './openapi/description.ts';
import {
  answerSchema,
  isObject,
  referencedComponents,
  requestSchema,
  type Json,
  type JsonObject,
} from './openapi/trim.ts';
import { servedOperations } from './rest/operations.ts';
import { webhookNames } from './webhooks/names.ts';

const target = new URL('./gen/openapi.json', import.meta.url);
const require = createRequire(import.meta.url);
// The package's index pulls in 385 MB of descriptions, so the one file is read by its path.
const sourcePath = require
  .resolve('@octokit/openapi/package.json')
  .replace('package.json', 'generated/api.github.com.json');
const source = JSON.parse(readFileSync(sourcePath, 'utf8')) as JsonObject;

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((node, key) => (isObject(node) ? node[key] : undefined), value);
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`Expected text in the description: ${JSON.stringify(value)}.`);
  return value;
}

function resolve(value: Json | undefined): JsonObject {
  const ref = at(value, '$ref');
  const found = typeof ref === 'string' ? at(source, ...ref.replace('#/', '').split('/')) : value;
  if (!isObject(found)) throw new Error(`The description has a dangling reference: ${JSON.stringify(value)}.`);
  return found;
}

const components = resolve(at(source, 'components', 'schemas'));

/** In request mode references are inlined because a closed object cannot be shared with answers. */
function parameter(raw: Json): ParameterDescription {
  const resolved = resolve(raw);
  return {
    name: text(resolved['name']),
    in: resolved['in'] === 'path' ? 'path' : 'query',
    required: resolved['required'] === true,
    schema: requestSchema(resolved['schema'] ?? {}, components),
  };
}

/** Where GitHub's description is wrong about what GitHub answers: here every account would have to be an enterprise too. */
const corrections: Readonly<Record<string, Json>> = {
  'apps/list-installations 200': { type: 'array', items: { $ref: 'installation' } },
};

function answers(id: string, raw: Json | undefined): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(resolve(raw)).map(([status, answer]) => {
      const content = at(resolve(answer), 'content');
      const schema = at(content, 'application/json', 'schema');
      return [status, schema === undefined ? null : (corrections[`${id} ${status}`] ?? answerSchema(schema))];
    }),
  );
}

function operation(method: OperationDescription['method'], path: string, raw: JsonObject): OperationDescription {
  const body = at(raw, 'requestBody', 'content', 'application/json', 'schema');
  return {
    method,
    path,
    documentation: text(at(raw, 'externalDocs', 'url')),
    parameters: ((raw['parameters'] ?? []) as readonly Json[]).map(parameter),
    body:
      body === undefined
        ? null
        : { required: at(raw, 'requestBody', 'required') === true, schema: requestSchema(body, components) },
    answers: answers(text(raw['operationId']), raw['responses']),
  };
}

function allOperations(): Map<string, OperationDescription> {
  const wanted = new Set<string>(servedOperations.map((served) => served.id));
  const found = new Map<string, OperationDescription>();
  for (const [path, methods] of Object.entries(resolve(source['paths'])))
    for (const [method, raw] of Object.entries(resolve(methods))) {
      const id = at(raw, 'operationId');
      if (typeof id === 'string' && wanted.has(id))
        found.set(id, operation(method as OperationDescription['method'], path, resolve(raw)));
    }
  const missing = [...wanted].filter((id) => !found.has(id));
  if (missing.length > 0) throw new Error(`GitHub's description has no operation ${missing.join(', ')}.`);
  return found;
}

function allWebhooks(): [string, Json][] {
  return webhookNames.map((name) => {
    const schema = at(source, 'x-webhooks', name, 'post', 'requestBody', 'content', 'application/json', 'schema');
    if (schema === undefined) throw new Error(`GitHub's description has no webhook ${name}.`);
    return [name, answerSchema(schema)];
  });
}

function reachable(roots: Json): Record<string, Json> {
  const schemas: Record<string, Json> = {};
  const queue = [...referencedComponents(roots)];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (schemas[name] !== undefined) continue;
    const component = components[name];
    if (component === undefined) throw new Error(`GitHub's description has no component ${name}.`);
    const schema = answerSchema(component);
    schemas[name] = schema;
    queue.push(...referencedComponents(schema));
  }
  return schemas;
}

function sorted<T>(entries: Iterable<[string, T]>): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const operations = sorted(allOperations());
const webhooks = sorted(allWebhooks());
const errors: Json = [{ $ref: 'validation-error' }, { $ref: 'basic-error' }];
const roots = [Object.values(operations).map(({ answers }) => answers), webhooks, errors] as Json;
const trimmed: Description = { operations, webhooks, schemas: sorted(Object.entries(reachable(roots))) };
writeFileSync(target, `${JSON.stringify(trimmed)}\n`);
