/** Status codes of gRPC, and the error that a call ends with when it is not OK. */

export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** Any number: a daemon may answer with codes that are not listed here. */
export type GrpcStatus = number;

export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: GrpcStatus;
  /** The bytes of a google.rpc.Status, when the server sent one. */
  readonly details: Uint8Array | null;
  constructor(
    code: GrpcStatus,
    message: string,
    options: ErrorOptions & { readonly details?: Uint8Array | null } = {},
  ) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? null;
  }
}
