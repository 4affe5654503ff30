import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { ProfileError } from '@hearth/profile-model';
import type { Problem } from '@hearth/query-contract';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { QueryFailedError } from 'typeorm';
import { ZodError } from 'zod';
import { isStorageFull, storageFull } from '../database/storage-room.js';
import { HearthError } from './hearth-error.js';

const DATABASE_RETRY_SECONDS = 5;
/** Codes of the socket, and Postgres' classes 08 (connection), 57P (shutdown) and 53 (no room: connections, disk, memory). */
const DATABASE_AWAY = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|08...|57P..|53...)$/;
/** What Postgres says of a text with NUL (in text, in JSON), and of one too long for an index. */
const TEXT_REFUSED = new Set(['22021', '22P05', '54000']);
/**
 * undefined_table, undefined_column, and an ON CONFLICT without its key: what this server asks for is not in the schema (any
 * more). Its own migrations have run, so it was another one's.
 */
const SCHEMA_CHANGED = /^(42P01|42703|42P10)$/;
/** About as long as a replaced server takes to go. */
const SCHEMA_RETRY_SECONDS = 30;
/** How pg words a connection that broke or never came. */
const CONNECTION_LOST =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Driver not Connected|pool after calling end/i;

/** Answers every error as problem details (RFC 9457). What nobody foresaw becomes 500 and is logged with its stack. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const known = toHearthError(error);
    if (known.status >= 500) this.#logger.error({ err: error, method: request.method, path: request.path }, known.code);
    // The answer has begun (an export): all that is left is to break it off, so that it is not taken for complete.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (known.retryAfterSeconds !== undefined) response.setHeader('Retry-After', known.retryAfterSeconds);
    response
      .status(known.status)
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(known)));
  }
}

function problemOf({ code, status, detail }: HearthError): Problem {
  // A name, not an address: this server serves no documents.
  return { type: `urn:hearth:error:${code}`, title: titleOf(code), status, code, detail };
}

/** `BATCH_TOO_LARGE` is "Batch too large". */
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The error as a client may see it: nothing of the inside but a code. */
export function toHearthError(error: unknown): HearthError {
  if (error instanceof HearthError) return error;
  if (error instanceof ProfileError) return new HearthError(error.code, error.message, { cause: error });
  if (error instanceof ZodError) {
    const issue = error.issues[0];
    const where = issue?.path.join('.') || 'request';
    return new HearthError('REQUEST_INVALID', `${where}: ${issue?.message ?? 'not as expected'}`, { cause: error });
  }
  if (error instanceof HttpException) return fromHttp(error.getStatus(), error.message, error);
  if (isStorageFull(error)) return storageFull('the disk of Postgres is full', error);
  if (isDatabaseAway(error)) {
    return new HearthError('DATABASE_AWAY', `the database does not answer: try again in ${DATABASE_RETRY_SECONDS} s`, {
      status: 503,
      retryAfterSeconds: DATABASE_RETRY_SECONDS,
      cause: error,
    });
  }
  if (error instanceof Error && SCHEMA_CHANGED.test(String((error as { code?: unknown }).code))) {
    return new HearthError(
      'SCHEMA_CHANGED',
      'a newer Hearth has migrated the database, and this server is about to be replaced',
      {
        status: 503,
        retryAfterSeconds: SCHEMA_RETRY_SECONDS,
        cause: error,
      },
    );
  }
  if (error instanceof Error && TEXT_REFUSED.has(String((error as { code?: unknown }).code))) {
    return new HearthError('REQUEST_INVALID', 'a text holds what cannot be stored: the character NUL, or too much', {
      cause: error,
    });
  }
  // Errors of Express' own body reader carry a status.
  const { status, message } = error as { status?: unknown; message?: unknown };
  if (!(error instanceof QueryFailedError) && typeof status === 'number' && status >= 400 && status < 500)
    return fromHttp(status, String(message), error);
  return new HearthError('INTERNAL', 'something went wrong inside Hearth; its log says what', { status: 500, cause: error });
}

export function isDatabaseAway(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, errors } = at as { code?: unknown; errors?: unknown };
    if (typeof code === 'string' && DATABASE_AWAY.test(code)) return true;
    if (CONNECTION_LOST.test(at.message)) return true;
    if (Array.isArray(errors) && errors.some(isDatabaseAway)) return true; // one per address that was tried
  }
  return false;
}

function fromHttp(status: number, message: string, cause: unknown): HearthError {
  const codes: Record<number, string> = {
    400: 'REQUEST_INVALID',
    401: 'UNAUTHENTICATED',
    403: 'FORBIDDEN',
    404: 'NOT_FOUND',
    405: 'METHOD_NOT_ALLOWED',
    413: 'BODY_TOO_LARGE',
    415: 'CONTENT_TYPE_UNSUPPORTED',
    429: 'TOO_MANY_REQUESTS',
  };
  const code = codes[status] ?? (status >= 500 ? 'INTERNAL' : 'REQUEST_INVALID');
  return new HearthError(code, message, { status, cause, ...(status === 429 ? { retryAfterSeconds: 60 } : {}) });
}
