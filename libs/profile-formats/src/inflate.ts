import { FormatError } from './errors.js';

/**
 * Inflates one gzip file. It must stop when the result would pass `maxBytes`; what it throws is reported as `FORMAT_GZIP`.
 * In Node: `(gzip, maxBytes) => gunzipSync(gzip, { maxOutputLength: maxBytes })`.
 */
export type Inflate = (gzip: Uint8Array, maxBytes: number) => Uint8Array;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Inflates with the Web's DecompressionStream, where no synchronous inflater is at hand. @throws {FormatError} `FORMAT_GZIP`, `FORMAT_LIMIT` */
export async function inflateByStream(gzip: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = new Blob([gzip as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      chunks.push(chunk.value);
      length += chunk.value.length;
      if (length > maxBytes) {
        await reader.cancel();
        throw new FormatError('FORMAT_LIMIT', `inflates to more than the ${maxBytes} bytes allowed`);
      }
    }
  } catch (error) {
    throw asGzipError(error, maxBytes);
  }
  const inflated = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    inflated.set(chunk, at);
    at += chunk.length;
  }
  assertEndsThere(gzip, inflated);
  return inflated;
}

/** @throws {FormatError} `FORMAT_GZIP`, `FORMAT_LIMIT` */
export function inflateWith(inflate: Inflate, gzip: Uint8Array, maxBytes: number): Uint8Array {
  let inflated: Uint8Array;
  try {
    inflated = inflate(gzip, maxBytes);
  } catch (error) {
    throw asGzipError(error, maxBytes);
  }
  if (inflated.length > maxBytes) throw new FormatError('FORMAT_LIMIT', `inflates to more than the ${maxBytes} bytes allowed`);
  assertEndsThere(gzip, inflated);
  return inflated;
}

/**
 * Inflaters differ in whether they mind bytes behind the end. The last four bytes of a gzip file (RFC 1952, ISIZE) say how long its content is:
 * with anything behind them they would say something else. Files of several members do too, and are refused with it.
 */
function assertEndsThere(gzip: Uint8Array, inflated: Uint8Array): void {
  const size = new DataView(gzip.buffer, gzip.byteOffset + gzip.length - 4).getUint32(0, true);
  if (size !== inflated.length % 2 ** 32) {
    throw new FormatError(
      'FORMAT_GZIP',
      `says it holds ${size} bytes, holds ${inflated.length}: bytes behind its end, or several members`,
    );
  }
}

function asGzipError(error: unknown, maxBytes: number): FormatError {
  if (error instanceof FormatError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  // What Node's zlib reports when its maxOutputLength is reached.
  if (code === 'ERR_BUFFER_TOO_LARGE')
    return new FormatError('FORMAT_LIMIT', `inflates to more than the ${maxBytes} bytes allowed`, { cause: error });
  return new FormatError('FORMAT_GZIP', `not a whole gzip file: ${String(message)}`, { cause: error });
}
