/** Every REST operation the sandbox serves. */
import type { Operation } from '../http/operation.ts';
import { accountOperations } from './accounts.ts';
import { appOperations } from './apps.ts';
import { checkOperations } from './checks.ts';
import { commitOperations } from './commits.ts';
import { commitStatusOperations } from './commit-statuses.ts';
import { contentOperations } from './contents.ts';
import { deploymentOperations } from './deployments.ts';
import { environmentOperations } from './environments.ts';
import { gitDataOperations } from './git-data.ts';
import { hookDeliveryOperations } from './hook-deliveries.ts';
import { issueOperations } from './issues.ts';
import { pullOperations } from './pulls.ts';
import { reactionOperations } from './reactions.ts';
import { repositoryOperations } from './repositories.ts';

export const servedOperations: readonly Operation[] = [
  ...appOperations,
  ...hookDeliveryOperations,
  ...repositoryOperations,
  ...gitDataOperations,
  ...commitOperations,
  ...commitStatusOperations,
  ...contentOperations,
  ...deploymentOperations,
  ...environmentOperations,
  ...checkOperations,
  ...issueOperations,
  ...reactionOperations,
  ...pullOperations,
  ...accountOperations,
];
