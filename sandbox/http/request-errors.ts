/** Words schema violations the way GitHub does. */
import type { ErrorObject } from 'ajv/dist/2019.js';
import { Refusal, type FieldError } from './refusal.ts';

const resources: Readonly<Record<string, string>> = {
  'checks/create': 'CheckRun',
  'checks/update': 'CheckRun',
  'pulls/create': 'PullRequest',
  'pulls/update': 'PullRequest',
  'issues/create-comment': 'IssueComment',
  'issues/update-comment': 'IssueComment',
  'repos/create-commit-status': 'Status',
};

/** `repos/create-deployment-status` is about a `DeploymentStatus`. */
export function resourceOf(operation: string): string {
  const known = resources[operation];
  if (known !== undefined) return known;
  const words = operation.replace(/^.*\//, '').split('-').slice(1);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') || 'Request';
}

function fieldOf(error: ErrorObject): string {
  const { missingProperty, unevaluatedProperty, additionalProperty } = error.params as Record<string, string>;
  const path = error.instancePath.split('/').filter((part) => part !== '');
  const own = missingProperty ?? unevaluatedProperty ?? additionalProperty;
  return (own === undefined ? path : [...path, own]).join('.');
}

function sentence(error: ErrorObject, field: string): string {
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return `"${field}" wasn't supplied.`;
    case 'unevaluatedProperties':
    case 'additionalProperties':
      return `"${field}" is not a permitted key.`;
    case 'maxLength':
      return `For '${field}', only ${String(params['limit'])} characters are allowed.`;
    case 'maxItems':
      return `For '${field}', no more than ${String(params['limit'])} items are allowed.`;
    case 'enum':
      return `For '${field}', the value is not one of ${JSON.stringify(params['allowedValues'])}.`;
    default:
      return `For '${field}', the value ${error.message ?? 'is invalid'}.`;
  }
}

function fieldError(error: ErrorObject, resource: string): FieldError {
  const field = fieldOf(error);
  const code = error.keyword === 'required' ? 'missing_field' : 'invalid';
  return { resource, code, field, message: sentence(error, field) };
}

export function invalidRequest(operation: string, errors: readonly ErrorObject[]): Refusal {
  // A failed composition reports its branches too; they say what is wrong, the composition does not.
  const telling = errors.filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'if');
  const fields = telling.map((error) => fieldError(error, resourceOf(operation)));
  return new Refusal(422, `Invalid request.\n\n${fields.map(({ message }) => message ?? '').join('\n')}`, {
    errors: fields,
  });
}
