/** The calls of the engine's API that are about networks. */
import * as answers from './answers.ts';
import { unlessAbsent } from './errors.ts';
import type { EngineSocket } from './socket.ts';

export interface NetworkSpec {
  name: string;
  bridge: string;
  mtu: number;
  subnet: string;
  gateway: string;
}

export function networkCalls(socket: EngineSocket) {
  return {
    network: async (name: string): Promise<answers.InspectedNetwork | null> => {
      const call = socket.call({ method: 'GET', path: `/networks/${encodeURIComponent(name)}/json` });
      const answer = await unlessAbsent(call);
      return answer === null ? null : answers.parseNetwork(answer.body);
    },

    createNetwork: async (spec: NetworkSpec): Promise<void> => {
      const body = {
        name: spec.name,
        driver: 'bridge',
        network_interface: spec.bridge,
        subnets: [{ subnet: spec.subnet, gateway: spec.gateway }],
        dns_enabled: false,
        options: { mtu: String(spec.mtu) },
      };
      await socket.call({ method: 'POST', path: '/networks/create', body });
    },

    removeNetwork: async (name: string): Promise<void> => {
      await unlessAbsent(socket.call({ method: 'DELETE', path: `/networks/${encodeURIComponent(name)}` }));
    },
  };
}
