/** Machines for a test, on a public network of their own; all of it is gone at the end, also after a crash. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Machine } from '../../cli/fleet/machine.ts';
import { networkBehindNat, publicNetwork, type Network } from '../../cli/fleet/wires.ts';
import { linksOf, type Links } from './links.ts';

export const publicPrefix = '10.77.0';

export class Machines {
  readonly public: Network;
  readonly links: Links;
  readonly #dir: string;
  readonly #networks: Network[] = [];
  readonly #machines: Machine[] = [];

  private constructor(dir: string, network: Network, links: Links) {
    this.#dir = dir;
    this.public = network;
    this.links = links;
    this.#networks.push(network);
  }

  static async make(): Promise<Machines> {
    const dir = await mkdtemp(path.join(tmpdir(), 'landfall-fleet-'));
    const network = await publicNetwork(publicPrefix);
    return new Machines(dir, network, await linksOf(network));
  }

  async boot(name: string, host: number, network: Network = this.public): Promise<Machine> {
    const machine = new Machine({ name, host, network, dir: path.join(this.#dir, name) });
    this.#machines.push(machine);
    await machine.boot();
    return machine;
  }

  async behindNat(host: number, prefix = '192.168.1'): Promise<Network> {
    const network = await networkBehindNat(this.public, { host, prefix });
    this.#networks.push(network);
    return network;
  }

  async end(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.cut()));
    await Promise.all(this.#networks.toReversed().map(({ space }) => space.end()));
    await rm(this.#dir, { recursive: true, force: true });
  }
}
