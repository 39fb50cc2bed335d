/** Every error code that the API answers with: its HTTP status, and the sentence that says what to do. */

export const apiErrors = {
  invalid_request: { status: 400, message: 'The request does not have the shape that this route takes.' },
  not_found: { status: 404, message: 'There is nothing here under this name, or it is not yours to see.' },
  request_timeout: { status: 408, message: 'The body did not arrive in time; send it again.' },
  payload_too_large: { status: 413, message: 'The body is larger than this route accepts.' },
  unsupported_media_type: { status: 415, message: 'The body has a content type that this route does not take.' },
  internal: { status: 500, message: 'Something failed here; the log of the server says what.' },
  unavailable: { status: 503, message: 'The server cannot answer just now; try again shortly.' },

  unauthenticated: { status: 401, message: 'This route needs an access token; send it as Authorization: Bearer.' },
  access_token_unknown: { status: 401, message: 'This access token is not known, or was revoked.' },

  signature_missing: { status: 401, message: 'The request is not signed; agents sign every request.' },
  signature_malformed: { status: 401, message: 'The signature headers cannot be read (RFC 9421).' },
  signature_unknown_key: { status: 401, message: 'No node is registered under this key; register the agent again.' },
  signature_stale: { status: 401, message: 'The signature is older than 60 seconds; check the clock of the node.' },
  signature_clock_ahead: { status: 401, message: 'The signature is from the future; check the clock of the node.' },
  signature_bad_digest: { status: 401, message: 'The body is not the one that was signed.' },
  signature_bad_signature: { status: 401, message: 'The signature does not fit this request and key.' },
  signature_replayed: { status: 401, message: 'This request was seen before; sign every request anew.' },
  node_removed: { status: 403, message: 'This node was removed; register it again under a new token.' },

  token_configured: {
    status: 409,
    message:
      'The server is configured with this token. To revoke it, give LANDFALL_ACCESS_TOKEN another value, or none, and start the server again.',
  },
  token_missing: { status: 401, message: 'Registration needs a token; `landfall node add` prints one.' },
  token_unknown: { status: 401, message: 'This registration token is not known; `landfall node add` prints one.' },
  token_expired: { status: 401, message: 'This registration token is older than 24 hours; make a new one.' },
  token_used: { status: 409, message: 'Another agent has used this registration token; make a new one.' },
  kind_mismatch: { status: 409, message: 'The token was made for the other kind of node; make one for this kind.' },
  key_taken: { status: 409, message: 'Another node has these keys; every agent makes its own.' },
  name_taken: { status: 409, message: 'A node of this name exists; remove it first or take another name.' },
  subnets_exhausted: { status: 503, message: 'Every subnet of the pool is in use; remove a node or enlarge the pool.' },

  epoch_stale: { status: 409, message: 'This report is of an earlier start of the agent.' },
  sequence_stale: { status: 409, message: 'A later report has been taken already.' },
  not_assigned: { status: 403, message: 'This is not assigned to the node that reports it.' },
  attempt_stale: { status: 409, message: 'A later attempt has taken this work over.' },
  lease_lost: { status: 409, message: 'The lease has run out, and the right to do this work with it.' },
  work_cancelled: { status: 409, message: 'This work was cancelled.' },
  work_finished: { status: 409, message: 'This work is finished already.' },
  work_not_ready: { status: 503, message: 'This work is not ready to be claimed; try again shortly.' },

  secret_too_large: { status: 413, message: 'A secret holds at most 64 KiB.' },
  secret_not_text: {
    status: 400,
    message: 'A secret becomes a variable, which cannot hold a NUL; encode it as base64.',
  },
  secret_in_use: { status: 409, message: 'A service that runs still uses this secret.' },

  webhook_header_missing: { status: 400, message: 'A webhook carries X-GitHub-Event, X-GitHub-Delivery and a body.' },
  webhook_signature_missing: { status: 401, message: 'The webhook is not signed; set a secret for it at GitHub.' },
  webhook_signature_invalid: { status: 401, message: 'The webhook is not signed with our secret.' },
  webhook_payload_invalid: { status: 400, message: 'The body of the webhook is not JSON.' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ApiErrorCode = keyof typeof apiErrors;

/** A refusal on its way to an answer. The message may say more than the table's, and never holds a secret. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  readonly status: number;

  constructor(code: ApiErrorCode, message?: string) {
    super(message ?? apiErrors[code].message);
    this.code = code;
    this.status = apiErrors[code].status;
  }
}
