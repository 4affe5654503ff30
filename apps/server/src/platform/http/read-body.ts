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
  const { chunks, length } = await readChunks(request, maxBytes);
  if (length > maxBytes) throw tooLarge(request, maxBytes);
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** By the stream's events: its iterator costs several times as much, and every batch is read here. Stops at the first byte too many. */
function readChunks(request: IncomingMessage, maxBytes: number): Promise<{ chunks: Buffer[]; length: number }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxBytes) settle();
    };
    const onBroken = (error?: Error): void => {
      settle(new HearthError('BODY_INCOMPLETE', `the body ended after ${length} bytes`, { cause: error }));
    };
    const onEnd = (): void => {
      settle();
    };
    function settle(fault?: HearthError): void {
      request.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      request.on('error', () => undefined); // one that comes later has nobody to tell
      if (fault === undefined) resolve({ chunks, length });
      else reject(fault);
    }
    request.on('data', onData).once('end', onEnd).once('close', onBroken).once('error', onBroken);
    if (request.destroyed) onBroken();
  });
}

function tooLarge(request: IncomingMessage, maxBytes: number): HearthError {
  // The rest is let go by as it comes: a sender reads no answer before it has written, and the connection is good for another request.
  request.resume();
  return new HearthError('BODY_TOO_LARGE', `a body may have at most ${maxBytes} bytes (MAX_BATCH_BYTES)`, { status: 413 });
}
