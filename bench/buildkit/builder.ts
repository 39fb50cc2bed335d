/** The process that builds with our client: it stays up, as the agent does, and answers one build at a time over IPC. */
import { connectBuildKit } from '../../agent/build/buildkit/client.ts';
import { dockerfileRequest } from '../../agent/build/buildkit/testing.ts';

interface Order {
  readonly contextDir: string;
}

const address = process.argv[2];
if (address === undefined) throw new Error('The first argument is the address of BuildKit.');
const client = connectBuildKit(address);

async function build({ contextDir }: Order): Promise<void> {
  await client.solve(dockerfileRequest(contextDir));
}

process.on('message', (order: Order) => {
  build(order).then(
    () => process.send?.({ error: null }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => client.close());
process.send?.({ error: null });
