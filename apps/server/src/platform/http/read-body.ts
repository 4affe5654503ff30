import type { IncomingMessage } from 'node:http';
import { HearthError } from './hearth-error.js';

/**
 * The body as it came, compressed or not, counted while it comes.
 *
 * @returns Bytes in an ArrayBuffer of their own, so that it can be moved to a thread.
 * @throws {HearthError} `BODY_TOO_LARGE` 413 as soon as one byte too many is announced or seen, `BODY_INCOMPLETE` 400
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > maxBytes) throw tooLarge(request, maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Left open when we leave early: a request destroyed before its end takes the connection, and perhaps the answer, with it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new HearthError('BODY_INCOMPLETE', `the body ended after ${length} bytes`, { cause: error });
  }
  if (length > maxBytes) throw tooLarge(request, maxBytes);
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function tooLarge(request: IncomingMessage, maxBytes: number): HearthError {
  // The rest is let go by as it comes: a sender reads no answer before it has written, and the connection is good for another request.
  request.resume();
  return new HearthError('BODY_TOO_LARGE', `a body may have at most ${maxBytes} bytes (MAX_BATCH_BYTES)`, { status: 413 });
}
