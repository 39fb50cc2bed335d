/** Makes WireGuard shake hands with a peer now: it does so when there is something to send. */
import { createSocket } from 'node:dgram';

/** Discard (RFC 863): nobody has to listen there. */
const port = 9;

export function greet(address: string): void {
  const socket = createSocket('udp4');
  // Without a way there is nobody to greet yet.
  socket.on('error', () => socket.close());
  socket.send('', port, address, (error) => {
    if (error === null) socket.close();
  });
}
