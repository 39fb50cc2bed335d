/** `/api/v1/deliveries`: what GitHub told, and why something of it was not deployed. */
import Type from 'typebox';
import { DeliveryResource, DeliveryStatus } from '../../core/contract/resources/deliveries.ts';
import { deliveryResources } from '../../prisma/store/delivery-resources.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, type Api } from '../http/routes.ts';

const Query = Type.Object({
  /** `owner/name`, as GitHub calls it now. */
  repository: Type.Optional(Type.String({ pattern: '^[^/]+/[^/]+$', maxLength: 200 })),
  status: Type.Optional(DeliveryStatus),
  /** Those of events that Landfall does nothing on, too. */
  unhandled: Type.Boolean({ default: false }),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  /** The GUID of the last one of the page before. */
  before: Type.Optional(Type.String({ pattern: '^[\\w-]{1,100}$' })),
});

export function deliveryRoutes(api: Api, { database: { db } }: ApiDeps): void {
  api.get(
    '/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        tags: ['deliveries'],
        querystring: Query,
        response: answers(Type.Object({ deliveries: Type.Array(DeliveryResource) })),
      },
    },
    async (request) => ({ deliveries: await deliveryResources(db, request.query) }),
  );
}
