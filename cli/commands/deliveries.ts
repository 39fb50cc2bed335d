/** `landfall deliveries`: what GitHub told, and why something of it was not deployed. */
import { Command, InvalidArgumentError, Option } from 'commander';
import Type from 'typebox';
import { DeliveryResource } from '../../core/contract/resources/deliveries.ts';
import { age, renderTable } from '../table.ts';
import { asking, connected, numberOption, printAnswer, type AskOptions } from './shared.ts';

interface DeliveriesOptions extends AskOptions {
  repository?: string;
  failed?: true;
  all?: true;
  number: string;
}

const DeliveryList = Type.Object({ deliveries: Type.Array(DeliveryResource) });

function why({ status, reason, todo }: DeliveryResource): string {
  if (status === 'processed' || reason === null) return '';
  return todo === null || todo.startsWith('Nothing') || reason.endsWith(todo) ? reason : `${reason} ${todo}`;
}

export function renderDeliveries(deliveries: DeliveryResource[], now: Date): string {
  if (deliveries.length === 0) return 'There are none.';
  return renderTable(
    ['came', 'repository', 'event', 'ref', 'commit', 'status', 'why'],
    deliveries.map((delivery) => [
      `${age(new Date(delivery.receivedAt), now)} ago`,
      delivery.repository ?? '–',
      [delivery.event, delivery.action].filter((part) => part !== null).join('.'),
      delivery.ref?.replace(/^refs\/heads\//, '') ?? '–',
      delivery.sha === null || /^0+$/.test(delivery.sha) ? '–' : delivery.sha.slice(0, 7),
      delivery.reasonCode === null ? delivery.status : `${delivery.status} (${delivery.reasonCode})`,
      why(delivery),
    ]),
  );
}

async function deliveries(options: DeliveriesOptions): Promise<void> {
  const { api } = connected(options);
  const query = new URLSearchParams({
    limit: options.number,
    ...(options.repository === undefined ? {} : { repository: options.repository }),
    ...(options.failed === true ? { status: 'failed' } : {}),
    ...(options.all === true ? { unhandled: 'true' } : {}),
  });
  const path = `/api/v1/deliveries?${query.toString()}`;
  const { deliveries: list } = await api.call({ method: 'GET', path, answer: DeliveryList });
  printAnswer(options, list, () => renderDeliveries(list, new Date()));
}

function fullName(text: string): string {
  if (/^[^/\s]+\/[^/\s]+$/.test(text)) return text;
  throw new InvalidArgumentError('It is owner/name, as GitHub shows it.');
}

export function deliveriesCommand(): Command {
  return asking(new Command('deliveries'))
    .description('show what GitHub told, and why something of it was not deployed')
    .addOption(new Option('-r, --repository <owner/name>', 'only about this one').argParser(fullName))
    .addOption(new Option('--failed', 'only those whose work failed'))
    .addOption(new Option('--all', 'also those of events that Landfall does nothing on'))
    .addOption(numberOption())
    .addHelpText(
      'after',
      `
A push that leaves no check run at GitHub is explained here; docs/reasons.md has every code. One that is missing
here never arrived: the Advanced page of the GitHub App shows what was answered to it.

Examples:
  landfall deliveries
  landfall deliveries --repository acme/shop --number 5
  landfall deliveries --failed --json | jq -r '.[] | "\\(.guid) \\(.reasonCode)"'`,
    )
    .action(deliveries);
}
