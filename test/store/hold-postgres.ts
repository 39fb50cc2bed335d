/** A process for tests to kill: starts PostgreSQL on the folder of its first argument, prints the URL, and stays. */
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';

const [dataDir, password] = process.argv.slice(2);
if (dataDir === undefined || password === undefined) throw new Error('usage: hold-postgres DATA_DIR PASSWORD');
const { url } = await startEmbeddedPostgres({ dataDir, port: 0, password });
process.stdout.write(url);
setInterval(() => undefined, 60_000);
