/** A process for tests: migrates the database of its first argument and prints the names of what it applied, as JSON. */
import { migrate } from '../../prisma/migrate.ts';

const [url] = process.argv.slice(2);
if (url === undefined) throw new Error('usage: run-migrate DATABASE_URL');
process.stdout.write(JSON.stringify(await migrate(url)));
