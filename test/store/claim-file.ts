/** Claims a file at a given moment, beside others that do the same, and says whether it got it: arguments FILE and MILLISECONDS. */
import { setTimeout as delay } from 'node:timers/promises';
import { claimFile } from '../../platform/lifecycle/claim-file.ts';

const [file = '', at = '0'] = process.argv.slice(2);
process.stdout.write('ready\n');
await delay(Number(at) - Date.now());
console.log((await claimFile(file)).kind);
// Alive until it is killed: a claim of a dead process is none.
await delay(60_000);
