/** What the daemon may ask for during a build: context, secrets, registry credentials, a sign of life. */
import { realpath } from 'node:fs/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { followPaths } from '../context/follow-paths.ts';
import { pathFilter, type FilterPatterns } from '../context/path-filter.ts';
import { errorCode } from '../context/vanished.ts';
import { ContextFileError } from './context-file.ts';
import { transferContext, TransferRefusedError } from './context-transfer.ts';
import { Auth, CredentialsRequestSchema, CredentialsResponseSchema } from './gen/auth_pb.ts';
import { FileSync } from './gen/filesync_pb.ts';
import { Health, HealthCheckResponseSchema } from './gen/health_pb.ts';
import { GetSecretRequestSchema, GetSecretResponseSchema, Secrets } from './gen/secrets_pb.ts';
import { rpcPath } from './grpc-call.ts';
import type { Method, StreamCall } from './grpc-server.ts';
import { GrpcError, grpcStatus } from './grpc-status.ts';
import type { LocalDir, SolveRequest } from './solve-request.ts';

/** What a session serves of a request. */
export type Served = Pick<SolveRequest, 'localDirs' | 'secrets' | 'registryAuth'>;

const serving = 1;

export function healthMethod(): Method {
  const answer = toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: serving }));
  return { kind: 'unary', path: rpcPath(Health.method.check), answer: () => answer };
}

export function secretMethod(secrets: Served['secrets']): Method {
  return {
    kind: 'unary',
    path: rpcPath(Secrets.method.getSecret),
    answer(request) {
      const { id } = fromBinary(GetSecretRequestSchema, request);
      const data = Object.hasOwn(secrets, id) ? secrets[id] : undefined;
      if (data === undefined) throw new GrpcError(grpcStatus.notFound, `secret ${id} is not given to this build`);
      return toBinary(GetSecretResponseSchema, create(GetSecretResponseSchema, { data }));
    },
  };
}

/** The newer token calls are not served; the daemon then asks for credentials. An empty answer means: try without. */
export function credentialsMethod(registryAuth: Served['registryAuth']): Method {
  return {
    kind: 'unary',
    path: rpcPath(Auth.method.credentials),
    answer(request) {
      const { host } = fromBinary(CredentialsRequestSchema, request);
      const known = registryAuth(host);
      const message = known === undefined ? {} : { username: known.username, secret: known.password };
      return toBinary(CredentialsResponseSchema, create(CredentialsResponseSchema, message));
    },
  };
}

/** Header values are percent-encoded when one of them is not ASCII, which a second header says. */
export function patternHeader(call: Pick<StreamCall, 'header'>, name: string): readonly string[] {
  const values = call.header(name);
  if (call.header(`${name}-encoded`)[0] !== '1') return values;
  return values.map((value) => decodeURIComponent(value.replaceAll('+', ' ')));
}

/** What is asked for, as patterns: the paths to follow count as included, and the root among them leaves nothing out. */
export function requestedPatterns(call: Pick<StreamCall, 'header'>, root: string): FilterPatterns {
  const include = patternHeader(call, 'include-patterns');
  const exclude = patternHeader(call, 'exclude-patterns');
  const wanted = patternHeader(call, 'followpaths');
  const followed = wanted.length === 0 ? null : followPaths(root, wanted);
  if (followed === null) return { include, exclude };
  const all = [...include, ...followed];
  return { include: all.includes('.') ? [] : all, exclude };
}

async function resolveRoot(dir: LocalDir): Promise<string> {
  try {
    return await realpath(dir.path);
  } catch (error) {
    throw new ContextFileError(dir.path, `the directory cannot be read (${errorCode(error) ?? String(error)})`);
  }
}

async function sendContext(call: StreamCall, localDirs: Served['localDirs']): Promise<void> {
  const name = patternHeader(call, 'dir-name')[0] ?? '';
  const dir = Object.hasOwn(localDirs, name) ? localDirs[name] : undefined;
  if (dir === undefined) throw new GrpcError(grpcStatus.notFound, `directory ${name} is not given to this build`);
  const root = await resolveRoot(dir);
  const filter = pathFilter([{ exclude: dir.excludePatterns ?? [] }, requestedPatterns(call, root)]);
  await transferContext(call, root, filter);
}

/** `onProblem` learns why a context could not be sent: the daemon's own error only repeats it as text. */
export function contextMethod(localDirs: Served['localDirs'], onProblem: (problem: Error) => void): Method {
  return {
    kind: 'stream',
    path: rpcPath(FileSync.method.diffCopy),
    async serve(call) {
      try {
        await sendContext(call, localDirs);
      } catch (error) {
        const isOurs = !(error instanceof TransferRefusedError || error instanceof GrpcError);
        if (isOurs && error instanceof Error) onProblem(error);
        throw error;
      }
    },
  };
}

export function sessionMethods(served: Served, onProblem: (problem: Error) => void): readonly Method[] {
  return [
    healthMethod(),
    contextMethod(served.localDirs, onProblem),
    secretMethod(served.secrets),
    credentialsMethod(served.registryAuth),
  ];
}
