/** The process of `landfall server|bot|api|worker`: configuration, parts, and an end that is asked for by signals. */
import { loadConfig } from '../platform/config/config.ts';
import { StalledError } from '../platform/errors/errors.ts';
import { endAsked } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import { startServer } from './server/compose.ts';
import { roles, type Role } from './server/roles.ts';

/** Runs until it is asked to end. Prints one JSON line when it is ready: `{"ready":true,"address":"http://…"}`. */
export async function serve(wanted: ReadonlySet<Role>): Promise<void> {
  const ended = endAsked();
  const config = loadConfig(undefined, { githubKey: wanted.has('bot') || wanted.has('worker') });
  const log = createLog({ name: [...wanted].join('+'), level: config.logLevel });
  const server = await startServer(config, wanted, log);
  log.info({ address: server.address }, 'ready');
  console.log(JSON.stringify({ ready: true, address: server.address }));
  const lost = server.lost.then((sentence): never => {
    // Nothing here can go on, or end in order, without it. Whoever keeps this process running starts it again.
    throw new StalledError('part_lost', `${sentence}.`, { hint: 'The server ends, to be started again.' });
  });
  log.info({ because: await Promise.race([ended, lost]) }, 'ending');
  await server.stop();
}

function wantedRoles(argv: string[]): ReadonlySet<Role> {
  const wanted = roles.filter((role) => argv.includes(role));
  return new Set(wanted.length === 0 ? roles : wanted);
}

if (process.argv[1] !== undefined && /(^|\/)server\.(js|ts)$/.test(process.argv[1])) {
  serve(wantedRoles(process.argv.slice(2))).then(
    () => process.exit(0),
    (error: unknown) => {
      const text = error instanceof StalledError ? [error.message, error.hint].filter(Boolean).join('\n') : error;
      console.error(text);
      process.exit(1);
    },
  );
}
