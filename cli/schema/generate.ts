/** Writes docs/landfall.schema.json: what editors check `landfall.yml` with. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { landfallSchema } from '../../core/spec/json-schema.ts';

const file = path.join(import.meta.dirname, '..', '..', 'docs', 'landfall.schema.json');
writeFileSync(file, await format(JSON.stringify(landfallSchema()), { parser: 'json', printWidth: 120 }));
