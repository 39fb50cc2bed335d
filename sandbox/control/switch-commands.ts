/** Control of what the sandbox does wrong, what it delivers, and what it counts. */
import Type from 'typebox';
import { ImpossibleRequest } from '../actions/users.ts';
import { faultSchema } from '../faults.ts';
import { githubLimits } from '../http/rate-limits.ts';
import { presentDeliveryItem } from '../rest/hook-deliveries.ts';
import { command, object } from './command.ts';

const count = Type.Integer({ minimum: 1 });

export const switchCommands = {
  setFault: command(faultSchema, (world, input) => ({ id: world.faults.set(input) })),
  /** One fault, or all of them. */
  clearFaults: command(object({ id: Type.Optional(Type.Integer()) }), (world, input) => {
    world.faults.clear(input.id);
    return {};
  }),
  listFaults: command(object({}), (world) => world.faults.list()),
  /** Newest first. */
  listDeliveries: command(object({}), (world) => world.deliveries.list().map(presentDeliveryItem)),
  redeliver: command(object({ deliveryId: Type.Integer() }), (world, input) => {
    if (!world.deliveries.redeliver(input.deliveryId))
      throw new ImpossibleRequest(`The sandbox has no delivery with id ${input.deliveryId}.`);
    return {};
  }),
  /** Answers when nothing is being delivered, delayed or held back. */
  awaitDeliveries: command(object({}), async (world) => {
    await world.deliveries.idle();
    return {};
  }),
  setWebhook: command(
    object({ url: Type.Union([Type.String({ pattern: '^https?://' }), Type.Null()]) }),
    (world, input) => {
      world.deliveries.url = input.url;
      return {};
    },
  ),
  listRequests: command(object({}), (world) => world.requests.list()),
  listWrites: command(object({}), (world) => world.requests.writes()),
  resetRequests: command(object({}), (world) => {
    world.requests.reset();
    return {};
  }),
  /** Quotas left out are GitHub's own; what was spent is forgotten. */
  setLimits: command(
    object({
      requestsPerHour: Type.Optional(count),
      pointsPerMinute: Type.Optional(count),
      contentPerMinute: Type.Optional(count),
      contentPerHour: Type.Optional(count),
    }),
    (world, input) => {
      world.limits.limits = { ...githubLimits, ...input };
      world.limits.reset();
      return world.limits.limits;
    },
  ),
  /** Answers the sandbox gave that break GitHub's description, and other faults of its own: none, or it has a bug. */
  listFailures: command(object({}), (world) => [...world.failures]),
};
