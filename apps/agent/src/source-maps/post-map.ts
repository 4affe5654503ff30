import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { DurationMs } from '@hearth/profile-model';
import type { Answer } from '../shipping/answer.js';
import { httpPost, type PostTarget } from '../shipping/http-post.js';
import { openPlain, type FoundMap } from './find-map.js';
import { MapFilter } from './map-filter.js';
import { rest } from './rest.js';

/** Read at once: what is done with it takes the main thread less than a tenth of a millisecond, and the first, before it is compiled, some. */
const PIECE_BYTES = 16 * 1024;
/** Between two pieces: 4 MB a second at most. */
const PIECE_REST_MS: DurationMs = 4;
const GZIP_LEVEL = 4;
/** The server reads a map within a minute. */
const TIMEOUT_MS: DurationMs = 120_000;

/** The map cannot be read, or is none. */
export class MapUnreadableError extends Error {
  override readonly name = 'MapUnreadableError';
}

/**
 * One POST of one map, in pieces from the disk: it is never in memory as a whole, and never parsed.
 *
 * @param target - `POST /api/v1/source-maps`, with service, revision and file.
 * @param isStopped - Then it is broken off.
 * @throws {MapUnreadableError} and as `httpPost`
 */
export async function postMap(
  target: PostTarget,
  map: FoundMap,
  sources: 'sent' | 'left-out',
  isStopped: () => boolean,
): Promise<Answer> {
  let fault: MapUnreadableError | undefined;
  const body = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const part of filtered(piecesOf(map), new MapFilter(sources))) {
        if (isStopped()) throw new Error('the agent was stopped');
        yield part;
      }
    } catch (error) {
      fault = new MapUnreadableError(error instanceof Error ? error.message : String(error));
      throw fault;
    }
  };
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  try {
    return await httpPost(target, headers, TIMEOUT_MS, (request) => {
      pipeline(body, createGzip({ level: GZIP_LEVEL }), request).catch(() => request.destroy()); // an answer may come before its end
    });
  } catch (error) {
    throw fault ?? error;
  }
}

async function* filtered(pieces: AsyncIterable<Buffer>, filter: MapFilter): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield* filter.push(piece);
  filter.end();
}

async function* piecesOf(map: FoundMap): AsyncGenerator<Buffer> {
  if ('bytes' in map) {
    for (let at = 0; at < map.bytes.length; at += PIECE_BYTES) {
      yield map.bytes.subarray(at, at + PIECE_BYTES);
      await rest(PIECE_REST_MS);
    }
    return;
  }
  const handle = await openPlain(map.file);
  try {
    // A file that grows meanwhile is read as far as it went.
    for (let at = 0; at < map.sizeBytes;) {
      const length = Math.min(PIECE_BYTES, map.sizeBytes - at);
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
      await rest(PIECE_REST_MS);
    }
  } finally {
    await handle.close();
  }
}
