import type { DurationMs } from '@hearth/profile-model';
import { BATCH_CONTENT_TYPE } from '@hearth/wire-format';
import type { Answer } from './answer.js';
import { httpPost, type PostTarget } from './http-post.js';

/** One POST of one compressed batch. @param target - `POST /api/v1/batches`. @returns As `httpPost`. */
export function postBatch(target: PostTarget, bytes: Uint8Array, timeoutMs: DurationMs): Promise<Answer> {
  const headers = { 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip', 'content-length': bytes.length };
  return httpPost(target, headers, timeoutMs, (request) => void request.end(bytes));
}
