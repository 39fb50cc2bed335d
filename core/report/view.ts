/** An intent as its report sees it. */
import type { Annotation } from '../contract/work.ts';
import type { BuildStatus } from '../intent/outcome.ts';
import type { RolloutStage } from '../rollout/stage.ts';

export type BuildReport = {
  service: string;
  status: BuildStatus;
  reasonCode: string | null;
  reason: string | null;
  imageDigest: string | null;
  annotations: readonly Annotation[];
  /** Last lines of its log: so far while it is built, of the failure when it failed, else none. */
  logTail: readonly string[];
  startedAt: Date | null;
  finishedAt: Date | null;
};

export type RolloutReport = {
  service: string;
  /** How many its release asks for. */
  replicas: number;
  stage: RolloutStage;
  reasonCode: string | null;
  reason: string | null;
  createdAt: Date;
  /** Stages entered, with their times, in order. It has been pending since it was made, without an event. */
  events: readonly { stage: RolloutStage; at: Date }[];
  /** Last lines of what failed. */
  lastLog: readonly string[];
};

export type IntentReport = {
  id: string;
  repositoryId: number;
  environment: string;
  /** A preview's environment vanishes with its PR. */
  transient: boolean;
  /** Public URL of the environment. */
  environmentUrl: string | null;
  sha: string;
  ref: string;
  status: 'active' | 'succeeded' | 'failed' | 'cancelled' | 'superseded';
  reasonCode: string | null;
  reason: string | null;
  /** What runs otherwise than the commit says, as a sentence; null when nothing does. */
  notTaken: string | null;
  requestedAt: Date;
  finishedAt: Date | null;
  /** The console page of this intent: `details_url` and `log_url`. */
  consoleUrl: string;
  builds: readonly BuildReport[];
  rollouts: readonly RolloutReport[];
  /** Intents of this environment whose GithubDeployment is still `success`, this one left out. */
  previous: readonly {
    intentId: string;
    sha: string;
    finishedAt: Date | null;
    /** Of that intent. */ consoleUrl?: string;
  }[];
  /** Outbox rows of this intent that exist, whatever their status; and those `inactive` ones it owed for others. */
  owed: readonly { key: string }[];
};
