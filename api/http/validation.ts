/** Validation by the schemas of core/contract: bodies as they are, query strings with their texts read as numbers. */
import Ajv, { type Options } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';

const common: Options = { useDefaults: true, allErrors: false, strict: true, strictTypes: false, strictTuples: false };

function compilerOf(options: Options): Ajv.Ajv {
  const ajv = new Ajv.Ajv({ ...common, ...options });
  addFormats.default(ajv);
  return ajv;
}

export function validatorCompiler(): FastifySchemaCompiler<TSchema> {
  const exact = compilerOf({});
  const texts = compilerOf({ coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? exact : texts).compile(schema);
}
