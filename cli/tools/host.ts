/** Facts about this machine that decide how a tool can be installed on it. */
import os from 'node:os';
import { toolsEnvironment, type ToolsEnvironment } from '../../platform/config/tools.ts';
import { hasApt } from '../bootstrap/debian.mjs';
import type { Arch } from './pins.ts';

export interface HostFacts {
  platform: NodeJS.Platform;
  /** Null on processors for which nothing is pinned. */
  arch: Arch | null;
  /** Debian, Ubuntu, or a system that names one of them as its kin. */
  hasApt: boolean;
  isRoot: boolean;
  processors: number;
  memoryBytes: number;
}

export interface ToolsHost {
  facts: HostFacts;
  environment: ToolsEnvironment;
}

/** Node's name for the processor, as Go and the release archives call it. */
export function archOf(architecture: string): Arch | null {
  switch (architecture) {
    case 'x64':
      return 'amd64';
    case 'arm64':
      return 'arm64';
    default:
      return null;
  }
}

export function thisHost(): ToolsHost {
  return {
    facts: {
      platform: process.platform,
      arch: archOf(process.arch),
      hasApt: hasApt(),
      isRoot: process.getuid?.() === 0,
      processors: os.availableParallelism(),
      memoryBytes: os.totalmem(),
    },
    environment: toolsEnvironment(),
  };
}
