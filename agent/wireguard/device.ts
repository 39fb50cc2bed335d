/** Makes the WireGuard interface: the kernel's where it has one, else wireguard-go's, which lives on when the agent is started again. */
import { StalledError } from '../../platform/errors/errors.ts';
import type { Shell } from '../network/shell.ts';

export interface DeviceOptions {
  device: string;
  /** Program for kernels without WireGuard; null: there is none on this node. */
  userspace: string | null;
  log: (line: string) => void;
}

export async function makeDevice(shell: Shell, { device, userspace, log }: DeviceOptions): Promise<void> {
  if ((await shell.ask(['ip', 'link', 'add', 'dev', device, 'type', 'wireguard'])) !== null) return;
  if (userspace === null)
    throw new StalledError('wireguard_missing', 'This kernel has no WireGuard, and wireguard-go is not installed.', {
      hint: 'Load the module (modprobe wireguard), or run: landfall tools install wireguard-go',
    });
  log(`The kernel has no WireGuard: ${userspace} carries the private network.`);
  await shell.must([userspace, device]);
}

/** Gone with its routes and its peers; a userspace process ends with it. */
export async function removeDevice(shell: Shell, device: string): Promise<void> {
  await shell.ask(['ip', 'link', 'delete', 'dev', device]);
}
