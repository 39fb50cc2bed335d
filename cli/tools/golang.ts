/** Builds a tool from its pinned Go module: `go build` in the folder whose go.mod and go.sum name every version and checksum. */
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import type { ToolsEnvironment } from '../../platform/config/tools.ts';
import { CommandFailed, runToEnd } from './command-line.ts';
import type { GoRoute } from './pins.ts';

export interface GoBuild {
  name: string;
  route: GoRoute;
  /** The `go` program. */
  go: string;
  /** Folder with the tool's go.mod. */
  module: string;
  /** Folder that receives the programs. */
  output: string;
  environment: ToolsEnvironment;
  signal?: AbortSignal | undefined;
}

/** Static, stripped, reproducible, and exactly the modules that go.sum lists. */
export function buildArguments(route: GoRoute, program: string, packagePath: string, output: string): string[] {
  const linked = Object.entries(route.linked).map(([variable, value]) => `-X ${variable}=${value}`);
  return [
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${['-s', '-w', ...linked].join(' ')}`,
    '-o',
    path.join(output, program),
    packagePath,
  ];
}

/** @throws StalledError `tool_build` with what the compiler said. */
export async function buildGoTool(build: GoBuild): Promise<void> {
  const env = { ...build.environment.variables, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
  for (const [program, packagePath] of Object.entries(build.route.packages)) {
    const argv = [build.go, ...buildArguments(build.route, program, packagePath, build.output)] as const;
    try {
      await runToEnd({ argv: [...argv], cwd: build.module, env, signal: build.signal });
    } catch (error) {
      if (error instanceof CommandFailed) throw explain(build, error);
      throw error;
    }
  }
}

function explain(build: GoBuild, error: CommandFailed): StalledError {
  return new StalledError('tool_build', `${build.name} could not be built with Go: ${error.message}`, {
    hint: 'Go fetches its modules through GOPROXY and needs a few GB of disk: mend what the lines above name, then run the command again.',
    cause: error,
  });
}
