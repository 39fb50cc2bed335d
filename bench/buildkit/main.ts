/** Runs this comparison alone: `npx tsx bench/buildkit/main.ts [RUNS]`. */
import { benchBuildKit } from './bench.ts';

const runs = Number(process.argv[2] ?? 10);
const rows = await benchBuildKit({ runs, note: (line) => console.error(line) });
console.log(JSON.stringify(rows, null, 2));
