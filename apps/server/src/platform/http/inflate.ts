import { gunzipSync } from 'node:zlib';
import { HearthError } from './hearth-error.js';

export type ContentEncoding = 'gzip' | 'identity';

/** Memory that is taken at once. What the body says itself (below) may be a lie. */
const MAX_CHUNK_BYTES = 128 * 1024;
const MIN_CHUNK_BYTES = 4 * 1024;

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
 * Inflates gzip, members behind each other included; stops at the first byte above the limit. Holds up its thread: on the event loop for small bodies only.
 *
 * @throws {HearthError} `INFLATED_TOO_LARGE` 413, `GZIP_INVALID` 400
 */
export function inflateBody(body: Uint8Array, encoding: ContentEncoding, maxInflatedBytes: number): Uint8Array {
  if (encoding === 'identity') {
    if (body.length > maxInflatedBytes) throw tooLarge(maxInflatedBytes);
    return body;
  }
  try {
    return gunzipSync(body, { maxOutputLength: maxInflatedBytes, chunkSize: chunkBytes(body) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxInflatedBytes);
    throw new HearthError('GZIP_INVALID', `the body is not valid gzip: ${(error as Error).message}`, { cause: error });
  }
}

/** The last four bytes of gzip (RFC 1952, ISIZE) say how long its last member is inflated: in one piece of that size it need not be put together. */
function chunkBytes(gzip: Uint8Array): number {
  const saidBytes = gzip.length < 4 ? 0 : new DataView(gzip.buffer, gzip.byteOffset + gzip.length - 4).getUint32(0, true);
  return Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, saidBytes + 1));
}

function tooLarge(maxInflatedBytes: number): HearthError {
  return new HearthError('INFLATED_TOO_LARGE', `a body may inflate to at most ${maxInflatedBytes} bytes (MAX_INFLATED_BYTES)`, {
    status: 413,
  });
}
