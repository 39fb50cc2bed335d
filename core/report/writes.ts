/** Writes owed to GitHub: what an outbox row holds. Bodies are those of GitHub's REST API. */
import Type, { type Static } from 'typebox';

const Sha = Type.String({ pattern: '^[0-9a-f]{40}$' });
const Time = Type.String({ format: 'date-time' });

export const CheckAnnotation = Type.Object({
  path: Type.String(),
  start_line: Type.Integer({ minimum: 1 }),
  end_line: Type.Integer({ minimum: 1 }),
  annotation_level: Type.Union([Type.Literal('notice'), Type.Literal('warning'), Type.Literal('failure')]),
  message: Type.String({ maxLength: 64_000 }),
});

export const CheckOutput = Type.Object({
  title: Type.String({ minLength: 1, maxLength: 255 }),
  summary: Type.String({ maxLength: 65_535 }),
  text: Type.Optional(Type.String({ maxLength: 65_535 })),
  annotations: Type.Optional(Type.Array(CheckAnnotation, { maxItems: 50 })),
});
export type CheckOutput = Static<typeof CheckOutput>;

export const CheckConclusion = Type.Union([
  Type.Literal('success'),
  Type.Literal('failure'),
  Type.Literal('cancelled'),
]);
export type CheckConclusion = Static<typeof CheckConclusion>;

/** Creates the check run with this external id, or finds it (P38). */
export const CreateCheckRun = Type.Object({
  repositoryId: Type.Integer(),
  intentId: Type.Union([Type.String(), Type.Null()]),
  body: Type.Object({
    name: Type.String(),
    head_sha: Sha,
    external_id: Type.String(),
    details_url: Type.Optional(Type.String()),
    status: Type.Union([Type.Literal('in_progress'), Type.Literal('completed')]),
    conclusion: Type.Optional(CheckConclusion),
    started_at: Time,
    completed_at: Type.Optional(Time),
    output: CheckOutput,
  }),
});

/** Of the check run with this external id. */
export const UpdateCheckRun = Type.Object({
  repositoryId: Type.Integer(),
  intentId: Type.Union([Type.String(), Type.Null()]),
  externalId: Type.String(),
  body: Type.Object({
    status: Type.Union([Type.Literal('in_progress'), Type.Literal('completed')]),
    conclusion: Type.Optional(CheckConclusion),
    completed_at: Type.Optional(Time),
    output: CheckOutput,
  }),
});

export const CreateDeployment = Type.Object({
  repositoryId: Type.Integer(),
  intentId: Type.String(),
  body: Type.Object({
    ref: Sha,
    task: Type.Literal('deploy'),
    auto_merge: Type.Literal(false),
    required_contexts: Type.Array(Type.String(), { maxItems: 0 }),
    environment: Type.String(),
    description: Type.String({ maxLength: 140 }),
    transient_environment: Type.Boolean(),
    production_environment: Type.Boolean(),
    /** Names the intent, so that a repeated create finds its deployment (P38). */
    payload: Type.Object({ landfall_intent: Type.String() }),
  }),
});

/** Of the deployment of `intentId`, which may be an earlier one. */
export const CreateDeploymentStatus = Type.Object({
  repositoryId: Type.Integer(),
  intentId: Type.String(),
  body: Type.Object({
    state: Type.Union([
      Type.Literal('in_progress'),
      Type.Literal('success'),
      Type.Literal('failure'),
      Type.Literal('error'),
      Type.Literal('inactive'),
    ]),
    description: Type.String({ maxLength: 140 }),
    environment: Type.String(),
    log_url: Type.String(),
    environment_url: Type.Optional(Type.String()),
    auto_inactive: Type.Literal(false),
  }),
});

/** Kind → schema of the payload. */
export const writePayloads = {
  createCheckRun: CreateCheckRun,
  updateCheckRun: UpdateCheckRun,
  createDeployment: CreateDeployment,
  createDeploymentStatus: CreateDeploymentStatus,
} as const;

export type WriteKind = keyof typeof writePayloads;

/** `key`: once ever. `coalesceKey`: a later write replaces an earlier one that is still pending. */
export type Write = {
  [K in WriteKind]: { key: string; kind: K; coalesceKey: string | null; payload: Static<(typeof writePayloads)[K]> };
}[WriteKind];
