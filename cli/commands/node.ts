/** `landfall node`: the servers, how one comes and goes, and how new work is kept away from one. */
import { Command, InvalidArgumentError, Option } from 'commander';
import Type from 'typebox';
import { NodeRegistration, NodeResource } from '../../core/contract/resources/nodes.ts';
import { describeFailure } from '../../core/node/failures.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { ApiClient } from '../client.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, printAnswer, type AskOptions } from './shared.ts';

const NodeList = Type.Object({ nodes: Type.Array(NodeResource) });

async function listNodes(api: ApiClient): Promise<NodeResource[]> {
  return (await api.call({ method: 'GET', path: '/api/v1/nodes', answer: NodeList })).nodes;
}

export function renderNodes(nodes: NodeResource[], now: Date): string {
  if (nodes.length === 0) return 'No node has registered. landfall node add NAME prints the line that adds one.';
  const troubles = nodes.flatMap((node) => [...leftOutOf(node), ...failuresOf(node, now)]);
  return [nodeTable(nodes, now), ...(troubles.length === 0 ? [] : ['', ...troubles])].join('\n');
}

function leftOutOf({ name, leftOut }: NodeResource): string[] {
  return leftOut.map(
    ({ serviceName, replica, message, todo }) =>
      `${name} is not told of ${serviceName}, replica ${replica}: ${message} ${todo}`,
  );
}

function failuresOf({ name, failures }: NodeResource, now: Date): string[] {
  return failures.map((failure) => {
    const again = failure.retryAt === null ? null : new Date(failure.retryAt);
    const next = again === null ? '' : again <= now ? '; it is tried again now' : `; next try in ${age(now, again)}`;
    return `${name} cannot ${describeFailure(failure)}: ${failure.message} (${age(new Date(failure.at), now)} ago${next})`;
  });
}

function nodeTable(nodes: NodeResource[], now: Date): string {
  return renderTable(
    ['name', 'kind', 'state', 'containers', 'network', 'allocations', 'version', 'seen'],
    nodes.map((node) => [
      node.name,
      node.kind,
      node.state,
      node.containerCidr,
      networkOf(node),
      String(node.allocations),
      node.agentVersion ?? '–',
      node.lastSeenAt === null ? 'never' : `${age(new Date(node.lastSeenAt), now)} ago`,
    ]),
  );
}

const standings = { direct: 'direct', behind_nat: 'behind NAT', alone: '–' } as const;

/** How it stands among the nodes, and whom it does not reach. */
function networkOf({ mesh }: NodeResource): string {
  if (mesh === null) return '–';
  const relays = [...new Set(mesh.relayed.map(({ through }) => through))];
  return [
    standings[mesh.kind],
    ...(relays.length === 0 ? [] : [`${mesh.relayed.length} through ${relays.join(', ')}`]),
    ...(mesh.unreachable.length === 0 ? [] : [`does not reach ${mesh.unreachable.join(', ')}`]),
  ].join('; ');
}

/** The one line to run on the new server, as root. */
export function installLine({ url, token, kind }: NodeRegistration): string {
  return `curl -fsSL ${url}/install.sh | sh -s -- --token ${token}${kind === 'proxy' ? ' --proxy' : ''}`;
}

/** Why the line cannot work on another server; null when it can. */
export function unreachable({ url }: NodeRegistration): string | null {
  const { hostname } = new URL(url);
  if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return null;
  return `${url} leads to the machine itself, so another server cannot reach the control plane under it. Start the control plane with LANDFALL_URL set to an address that servers reach (docs/server.md), and run this again.`;
}

const needed =
  'It needs Debian 12, Ubuntu 24.04 or a later one, with systemd and curl (apt-get install -y curl ca-certificates), on amd64 or arm64. It brings the rest along, Node.js too.';

export function renderRegistration(registration: NodeRegistration): string {
  const until = new Date(registration.expiresAt).toUTCString();
  const warning = unreachable(registration);
  const lines = [
    `Run this on ${registration.name}, as root, before ${until}:`,
    `  ${installLine(registration)}`,
    needed,
    'The token works once. landfall node list shows the node when it has registered.',
    ...(warning === null ? [] : [`Warning: ${warning}`]),
  ];
  return lines.join('\n\n');
}

async function add(name: string, options: AskOptions & { proxy?: true }): Promise<void> {
  const { api } = connected(options);
  const kind = options.proxy === true ? 'proxy' : 'worker';
  const registration = await api.call({
    method: 'POST',
    path: '/api/v1/nodes',
    body: { name, kind },
    answer: NodeRegistration,
  });
  const answer = { ...registration, command: installLine(registration), warning: unreachable(registration) };
  printAnswer(options, answer, () => renderRegistration(registration));
}

async function list(options: AskOptions): Promise<void> {
  const nodes = await listNodes(connected(options).api);
  printAnswer(options, nodes, () => renderNodes(nodes, new Date()));
}

async function nodeNamed(api: ApiClient, name: string): Promise<NodeResource> {
  const nodes = await listNodes(api);
  const node = nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  const known = nodes.map((each) => each.name).join(', ') || 'none';
  throw new InputError('node_unknown', `There is no node "${name}". Registered are: ${known}.`, { path: 'NAME' });
}

async function remove(name: string, options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const node = await nodeNamed(api, name);
  await api.call({ method: 'DELETE', path: `/api/v1/nodes/${node.id}`, answer: Type.Object({}) });
  const next =
    node.allocations === 0
      ? ''
      : ` What served there is placed on other nodes, as far as they have room: landfall status shows it.`;
  printAnswer(
    options,
    { removed: node.name },
    () => `${node.name} is removed; its agent is refused from now on.${next}`,
  );
}

async function cordon(name: string, options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const { id } = await nodeNamed(api, name);
  const node = await api.call({ method: 'POST', path: `/api/v1/nodes/${id}/cordon`, answer: NodeResource });
  printAnswer(options, node, () => `${name} takes no new replicas and builds. What runs there keeps running.`);
}

async function uncordon(name: string, options: AskOptions): Promise<void> {
  const { api } = connected(options);
  const { id } = await nodeNamed(api, name);
  const node = await api.call({ method: 'POST', path: `/api/v1/nodes/${id}/uncordon`, answer: NodeResource });
  printAnswer(options, node, () => `${name} takes new replicas and builds again.`);
}

/** As a DNS label: the node is found by it in the mesh. */
function nodeName(text: string): string {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('A name has lower-case letters, digits and hyphens, at most 63, a letter first.');
}

export function nodeCommand(): Command {
  const node = new Command('node').description('add, list, cordon and remove servers').addHelpText(
    'after',
    `
Examples:
  landfall node add web-1            print the line that turns a server into a worker
  landfall node add edge-1 --proxy   the same for one that takes traffic in
  landfall node list                 who is there, and how they are
  landfall node cordon web-1         keep new work away from one, before it is mended
  landfall node uncordon web-1       let it take work again
  landfall node remove web-1         take one out; what served there is placed elsewhere`,
  );
  asking(node.command('add').argument('<name>', 'lower-case letters, digits and hyphens', nodeName))
    .description('make a token and print the one line to run on the new server')
    .addOption(new Option('--proxy', 'the server takes traffic in'))
    .action(add);
  asking(node.command('list')).description('show the servers, and what they cannot do').action(list);
  asking(node.command('cordon').argument('<name>', 'as landfall node list shows it'))
    .description('keep new replicas and builds away from a server; what runs there keeps running')
    .action(cordon);
  asking(node.command('uncordon').argument('<name>', 'as landfall node list shows it'))
    .description('let a server take new replicas and builds again')
    .action(uncordon);
  asking(node.command('remove').argument('<name>', 'as landfall node list shows it'))
    .description('take a server out, and place what served there elsewhere')
    .action(remove);
  return node;
}
