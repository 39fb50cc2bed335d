/** Ends with 1 when the migrations do not make the schema of schema.prisma, and says what is missing. */
import { missingStatements, withTemporaryPostgres } from './schema.ts';

const sql = await withTemporaryPostgres((url) => missingStatements(url));
if (sql === null) {
  console.log('The migrations make the schema.');
} else {
  console.error(`The migrations do not make the schema; run prisma/dev/create-migration.ts NAME. Missing:\n${sql}`);
  process.exitCode = 1;
}
