/** Validates requests, answers and webhook payloads against GitHub's description; each operation is compiled when first used. */
import { Ajv2019, type ErrorObject, type ValidateFunction } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { description, operationDescription, type ParameterDescription } from './description.ts';
import { referencedComponents, type Json } from './trim.ts';

/** Compiling is what takes time, and each schema runs a few times only. */
const quickly = { strict: false, validateSchema: false, inlineRefs: false, code: { optimize: false } } as const;
const strictAjv = new Ajv2019({ ...quickly, allErrors: true });
/** Paths and queries are text, so numbers and booleans are read from it. */
const coercingAjv = new Ajv2019({ ...quickly, allErrors: true, coerceTypes: 'array' });
const answerAjv = new Ajv2019(quickly);
for (const ajv of [strictAjv, coercingAjv, answerAjv]) addFormats.default(ajv);
// GitHub answers an empty string where a link was never set.
answerAjv.addFormat('uri', (value: string) => value === '' || URL.canParse(value));

const compiled = new Map<string, ValidateFunction>();

function compileOnce(key: string, compile: () => ValidateFunction): ValidateFunction {
  const known = compiled.get(key) ?? compile();
  compiled.set(key, known);
  return known;
}

/** Components are registered when something that names them is compiled. */
function compileAnswer(schema: Json): ValidateFunction {
  const queue = [...referencedComponents(schema)];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (answerAjv.schemas[name] !== undefined) continue;
    const component = description().schemas[name];
    if (component === undefined) throw new Error(`sandbox/gen/openapi.json lacks the component ${name}.`);
    answerAjv.addSchema(component as object, name);
    queue.push(...referencedComponents(component));
  }
  return answerAjv.compile(schema as object);
}

function parameterSchema(parameters: readonly ParameterDescription[]): object {
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  };
}

export type RequestPart = 'path' | 'query' | 'body';

/** What is wrong with one part of a request; empty when nothing is. Path and query values are coerced in place. */
export function requestErrors(operation: string, part: RequestPart, value: unknown): readonly ErrorObject[] {
  const validate = compileOnce(`${operation} ${part}`, () => {
    const { parameters, body } = operationDescription(operation);
    if (part !== 'body') return coercingAjv.compile(parameterSchema(parameters.filter((each) => each.in === part)));
    return strictAjv.compile((body?.schema ?? { type: 'object', maxProperties: 0 }) as object);
  });
  return validate(value) ? [] : (validate.errors ?? []);
}

/** The answer the sandbox is about to give breaks GitHub's description: a bug of the sandbox, and loud. */
export class NonconformingAnswer extends Error {
  constructor(what: string, errors: readonly ErrorObject[]) {
    const details = errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message ?? 'is wrong'}`);
    super(`The sandbox broke GitHub's description in ${what}: ${details.join('; ')}.`);
  }
}

/** `body` is `undefined` when the answer has none. */
export function assertAnswer(operation: string, status: number, body: unknown): void {
  const schema = operationDescription(operation).answers[String(status)];
  if (schema === undefined)
    throw new NonconformingAnswer(`${operation} ${status}`, [unexpected('GitHub describes no such status')]);
  if (schema !== null) check(`${operation} ${status}`, schema, body);
}

const anyRefusal: Json = { anyOf: [{ $ref: 'validation-error' }, { $ref: 'basic-error' }] };

/** GitHub's description leaves many refusals out; what it says about the others holds. */
export function assertRefusal(operation: string, status: number, body: unknown): void {
  const schema = operationDescription(operation).answers[String(status)];
  if (schema === null) return;
  check(`${operation} ${schema === undefined ? 'refusal' : status}`, schema ?? anyRefusal, body);
}

function check(what: string, schema: Json, body: unknown): void {
  const validate = compileOnce(what, () => compileAnswer(schema));
  if (!validate(body)) throw new NonconformingAnswer(what, validate.errors ?? []);
}

export function assertWebhook(name: string, payload: unknown): void {
  const validate = compileOnce(`webhook ${name}`, () => {
    const schema = description().webhooks[name];
    if (schema === undefined) throw new Error(`sandbox/gen/openapi.json does not describe the webhook ${name}.`);
    return compileAnswer(schema);
  });
  if (!validate(payload)) throw new NonconformingAnswer(`the webhook ${name}`, validate.errors ?? []);
}

function unexpected(message: string): ErrorObject {
  return { keyword: 'status', instancePath: '', schemaPath: '', params: {}, message };
}
