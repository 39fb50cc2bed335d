/** What a job is: its name, its queue, the schema of its payload and its id, side by side. */
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { InputError } from '../errors/errors.ts';

/** A queue is worked on with one concurrency: jobs that wait for GitHub do not hold up those that do not. */
export type QueueName = 'deliveries' | 'rollouts' | 'github' | 'maintenance';

export interface JobDefinition<Schema extends TSchema = TSchema> {
  name: string;
  queue: QueueName;
  payload: Schema;
  /** Names this piece of work: while a job of this id is queued or running, a second one is not added. */
  jobId(payload: Static<Schema>): string;
  /** @throws InputError when the value is not a payload of this job. */
  parse(value: unknown): Static<Schema>;
}

export type JobSpec<Schema extends TSchema> = Omit<JobDefinition<Schema>, 'parse'>;

export function defineJob<const Schema extends TSchema>(spec: JobSpec<Schema>): JobDefinition<Schema> {
  const validator = Compile(spec.payload);
  return {
    ...spec,
    parse(value) {
      if (validator.Check(value)) return value;
      throw new InputError(
        'job_payload_invalid',
        `The payload of ${spec.name} is not valid: ${firstIssue(validator, value)}.`,
      );
    },
  };
}

function firstIssue(validator: Validator, value: unknown): string {
  const [issue] = validator.Errors(value);
  return issue === undefined ? 'it does not fit its schema' : `${issue.instancePath || 'it'} ${issue.message}`;
}

/** The id under which a queue knows it. A delayed one is apart, so that it never keeps one that is due now from being added. */
export function queuedId<Schema extends TSchema>(
  job: JobDefinition<Schema>,
  payload: Static<Schema>,
  dueAt: Date | null,
): string {
  const id = `${job.name}.${job.jobId(payload)}`;
  // The queue's own keys are cut at colons.
  if (id.includes(':')) throw new InputError('job_id_invalid', `The id ${id} of a job must not contain a colon.`);
  return dueAt === null ? id : `${id}@${Math.ceil(dueAt.getTime() / 1000)}`;
}
