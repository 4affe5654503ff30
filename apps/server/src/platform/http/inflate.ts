import { gunzipSync } from 'node:zlib';
import { HearthError } from './hearth-error.js';

export type ContentEncoding = 'gzip' | 'identity';

/** Large pieces: a batch inflates to a few hundred kilobytes. */
const CHUNK_BYTES = 128 * 1024;

/** @throws {HearthError} `CONTENT_ENCODING_UNSUPPORTED` 415 */
export function contentEncoding(header: string | undefined): ContentEncoding {
  const encoding = (header ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip';
  if (encoding === 'identity' || encoding === '') return 'identity';
  throw new HearthError(
    'CONTENT_ENCODING_UNSUPPORTED',
    `Content-Encoding "${encoding.slice(0, 40)}" is not read: send gzip or identity`,
    { status: 415 },
  );
}

/**
 * Inflates gzip, members behind each other included; stops at the first byte above the limit. For worker threads.
 *
 * @throws {HearthError} `INFLATED_TOO_LARGE` 413, `GZIP_INVALID` 400
 */
export function inflateBody(body: Uint8Array, encoding: ContentEncoding, maxInflatedBytes: number): Uint8Array {
  if (encoding === 'identity') {
    if (body.length > maxInflatedBytes) throw tooLarge(maxInflatedBytes);
    return body;
  }
  try {
    return gunzipSync(body, { maxOutputLength: maxInflatedBytes, chunkSize: CHUNK_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxInflatedBytes);
    throw new HearthError('GZIP_INVALID', `the body is not valid gzip: ${(error as Error).message}`, { cause: error });
  }
}

function tooLarge(maxInflatedBytes: number): HearthError {
  return new HearthError('INFLATED_TOO_LARGE', `a body may inflate to at most ${maxInflatedBytes} bytes (MAX_INFLATED_BYTES)`, {
    status: 413,
  });
}
