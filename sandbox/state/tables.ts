/** Every table of the sandbox, each with its own range of ids so that an id used in the wrong place finds nothing. */
import type {
  CheckRun,
  CheckSuite,
  Comment,
  CommitStatus,
  Delivery,
  Deployment,
  DeploymentStatus,
  Environment,
  FormerName,
  Installation,
  InstallationToken,
  Issue,
  Reaction,
  RefUpdate,
  Repository,
  Team,
  User,
} from './model.ts';
import { Table } from './table.ts';

export function createTables(changed: () => void) {
  return {
    users: new Table<User>(2001, changed),
    installations: new Table<Installation>(1001, changed),
    repositories: new Table<Repository>(300_001, changed),
    formerNames: new Table<FormerName>(1, changed),
    tokens: new Table<InstallationToken>(1, changed),
    deployments: new Table<Deployment>(4_000_001, changed),
    deploymentStatuses: new Table<DeploymentStatus>(5_000_001, changed),
    environments: new Table<Environment>(600_001, changed),
    checkSuites: new Table<CheckSuite>(7_000_001, changed),
    checkRuns: new Table<CheckRun>(8_000_001, changed),
    commitStatuses: new Table<CommitStatus>(9_000_001, changed),
    issues: new Table<Issue>(10_000_001, changed),
    comments: new Table<Comment>(11_000_001, changed),
    reactions: new Table<Reaction>(12_000_001, changed),
    refUpdates: new Table<RefUpdate>(13_000_001, changed),
    teams: new Table<Team>(14_001, changed),
    deliveries: new Table<Delivery>(15_000_001, changed),
  };
}

export type Tables = ReturnType<typeof createTables>;
