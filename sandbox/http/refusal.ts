/** What GitHub answers when it refuses: status and body as it words them. */

export interface FieldError {
  readonly resource: string;
  readonly code: 'missing' | 'missing_field' | 'invalid' | 'already_exists' | 'unprocessable' | 'custom';
  readonly field: string;
  readonly message?: string;
  /** Commit contexts that block a deployment. */
  readonly contexts?: readonly { readonly context: string; readonly state: string }[];
}

export interface RefusalDetails {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly documentation?: string;
  readonly url?: string;
}

export class Refusal extends Error {
  readonly status: number;
  readonly details: RefusalDetails;

  constructor(status: number, message: string, details: RefusalDetails = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  body(documentation: string): Readonly<Record<string, unknown>> {
    const { errors, url } = this.details;
    return {
      message: this.message,
      ...(errors === undefined ? {} : { errors }),
      ...(url === undefined ? {} : { url }),
      documentation_url: this.details.documentation ?? documentation,
      status: String(this.status),
    };
  }
}

export const notFound = () => new Refusal(404, 'Not Found');
export const badCredentials = () =>
  new Refusal(401, 'Bad credentials', { documentation: 'https://docs.github.com/rest' });
export const requiresAuthentication = () => new Refusal(401, 'Requires authentication');
export const notAccessible = () => new Refusal(403, 'Resource not accessible by integration');

export function validationFailed(...errors: readonly FieldError[]): Refusal {
  return new Refusal(422, 'Validation Failed', { errors });
}

/** GitHub's wording for a value that is too long. */
export function tooLong(resource: string, field: string, maximum: number): Refusal {
  const message = `${field} is too long (maximum is ${maximum} characters)`;
  return validationFailed({ resource, code: 'custom', field, message });
}
