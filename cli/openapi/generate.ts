/** Writes docs/openapi.json: the copy of what the server serves at /api/v1/openapi.json. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { openApiDocument } from './document.ts';

const file = path.join(import.meta.dirname, '..', '..', 'docs', 'openapi.json');
writeFileSync(file, await format(JSON.stringify(await openApiDocument()), { parser: 'json', printWidth: 120 }));
