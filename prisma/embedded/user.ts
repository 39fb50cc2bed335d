/** Who the server runs as: PostgreSQL refuses root, so root lends it a user of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { codeOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';

const run = promisify(execFile);

/** Set for root alone; everyone else runs the server as themselves. */
export type ServerUser = { uid: number; gid: number } | null;

const userName = 'postgres';

export async function serverUser(ownUid: number): Promise<ServerUser> {
  if (ownUid !== 0) return null;
  return (await lookUp()) ?? (await create());
}

async function lookUp(): Promise<ServerUser> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', userName]), run('id', ['-g', userName])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    // `id` ends with 1 when there is no such user.
    if (codeOf(error) === '1') return null;
    throw error;
  }
}

async function create(): Promise<ServerUser> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', userName]);
  } catch (cause) {
    throw new StalledError(
      'database_user_missing',
      `PostgreSQL refuses to run as root, and there is no user ${userName}.`,
      {
        hint: `Make one with: useradd --system --user-group ${userName}; or set DATABASE_URL to a server of your own.`,
        cause,
      },
    );
  }
  const user = await lookUp();
  if (user === null) throw new Error(`useradd made the user ${userName}, but id does not know it.`);
  return user;
}
