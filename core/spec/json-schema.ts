/** The JSON Schema of `landfall.yml` for editors, made from the same fields that read it. */
import type { JsonSchema } from './field.ts';
import { fileField } from './file.ts';

export function landfallSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'landfall.yml',
    ...fileField.schema,
  };
}
