import { HearthError } from '../http/hearth-error.js';

/** An error on its way out of a worker thread: a cloned `Error` would lose its code. */
export interface WorkerFault {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
}

/** @throws what nobody foresaw */
export function faultOf(error: unknown): WorkerFault {
  if (error instanceof HearthError) return { code: error.code, detail: error.detail, status: error.status };
  const { code, message } = error as { code?: unknown; message?: unknown };
  // Codes of our libraries (WIRE_*, PROFILE_*, FORMAT_*): the bytes are wrong. Node's own begin with ERR_.
  if (typeof code === 'string' && /^(?!ERR_)[A-Z]+(_[A-Z]+)+$/.test(code)) return { code, detail: String(message), status: 400 };
  throw error;
}

export function errorOf({ code, detail, status }: WorkerFault): HearthError {
  return new HearthError(code, detail, { status });
}
