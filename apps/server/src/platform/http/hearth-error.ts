export interface HearthErrorOptions {
  /** HTTP status. Default 400. */
  readonly status?: number;
  /** Answered as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * A fault that a client is told about, as problem details (RFC 9457). `code` is stable and has a section in docs/errors.md;
 * `detail` says what, where and what to do.
 */
export class HearthError extends Error {
  override readonly name = 'HearthError';
  readonly code: string;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, detail: string, options: HearthErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 400;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get detail(): string {
    return this.message;
  }
}
