/** What the installer of external programs takes from the environment: where to look, where to keep, what to hand on. */
import os from 'node:os';
import path from 'node:path';

export interface ToolsEnvironment {
  /** Directories searched for programs, in order. */
  searchPath: string[];
  /** Where installed programs are kept: outside any checkout, so that clones share it. */
  cacheDir: string;
  /** Handed on to the programs that are asked for their version, to apt-get and to Go. */
  variables: Readonly<Record<string, string | undefined>>;
}

/** Directories that hold programs on Debian but are often missing from an ordinary user's PATH. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/lib/podman', '/usr/libexec/podman'];

/** The XDG rule: a relative XDG_CACHE_HOME is ignored. */
function cacheHome(variables: ToolsEnvironment['variables']): string {
  const wanted = variables['XDG_CACHE_HOME'];
  if (wanted !== undefined && path.isAbsolute(wanted)) return wanted;
  return path.join(variables['HOME'] ?? os.homedir(), '.cache');
}

export function toolsEnvironment(variables: ToolsEnvironment['variables'] = process.env): ToolsEnvironment {
  const listed = (variables['PATH'] ?? '').split(path.delimiter).filter((directory) => path.isAbsolute(directory));
  return {
    searchPath: [...new Set([...listed, ...systemDirectories])],
    cacheDir: path.join(cacheHome(variables), 'landfall', 'tools'),
    variables,
  };
}
