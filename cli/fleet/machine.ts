/** A whole machine on this one: it boots, runs programs, and its power can be cut at any moment. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { firstChildOf, machineSpace, type Space } from './spaces.ts';
import { plugIn, type Network } from './wires.ts';

export interface MachineOptions {
  name: string;
  /** Its disk: stays over a power cut. */
  dir: string;
  network: Network;
  /** Host part of its address. */
  host: number;
}

/**
 * The first process of a machine. `/run` and `/dev/shm` are empty at every boot, as on a real one; `/etc/hostname` is not looked at by
 * anything that runs here.
 */
const initScript = `#!/bin/sh
# Arguments: the machine's directory. Never ends by itself.
set -eu
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs "$1/run"
mount --bind "$1/run" /run
echo 1 > /proc/sys/net/ipv4/ip_forward
exec tini -s -- sleep infinity
`;

export class Machine {
  readonly name: string;
  readonly dir: string;
  readonly address: string;
  readonly #options: MachineOptions;
  #space: Space | null = null;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.dir = options.dir;
    this.address = `${options.network.prefix}.${options.host}`;
  }

  get isOn(): boolean {
    return this.#space !== null;
  }

  /** @throws Error while its power is off. */
  get space(): Space {
    if (this.#space === null) throw new Error(`The machine ${this.name} is off.`);
    return this.#space;
  }

  async boot(): Promise<void> {
    if (this.#space !== null) return;
    const { dir, network, host } = this.#options;
    mkdirSync(path.join(dir, 'run'), { recursive: true });
    const script = path.join(dir, 'init.sh');
    writeFileSync(script, initScript);
    const space = await machineSpace(['sh', script, dir], 'tini');
    this.#space = space;
    await plugIn(network, { space, device: 'eth0', host });
    await space.run(['ip', 'route', 'replace', 'default', 'via', `${network.prefix}.254`]);
  }

  /** Everything on it is gone but its disk. */
  async cut(): Promise<void> {
    await this.#space?.end();
    this.#space = null;
  }

  /** Starts a program on it that writes to a file on its disk. It ends with this process at the latest. */
  start(argv: readonly string[], { env, log }: { env: Readonly<Record<string, string>>; log: string }): MachineProcess {
    const descriptor = openSync(path.join(this.dir, log), 'a', 0o600);
    const inside = this.space.inside([...diesWithParent, ...argv]);
    const [command, ...args] = [...diesWithParent, ...inside] as const;
    const child = spawn(command, args, { env, stdio: ['ignore', descriptor, descriptor], detached: true });
    closeSync(descriptor);
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    return {
      exited,
      signal: (name) => {
        const pid = firstChildOf(child.pid);
        if (pid !== null) process.kill(pid, name);
      },
    };
  }

  run(argv: readonly string[]): Promise<string> {
    return this.space.run(argv);
  }
}

export interface MachineProcess {
  exited: Promise<void>;
  /** Sent to the program itself. Does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

const diesWithParent = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;
