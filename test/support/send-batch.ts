import { gzipSync } from 'node:zlib';
import type { BatchesAnswer } from '@hearth/query-contract';
import { BATCH_CONTENT_TYPE, encodeBatch, type Batch } from '@hearth/wire-format';
import type { TestServer } from './server.js';

export interface BatchAnswer {
  readonly status: number;
  /** Seconds, of `Retry-After`. */
  readonly retryAfter: string | null;
  /** Or a problem's `code`. */
  readonly body: Partial<BatchesAnswer> & { readonly code?: string };
}

/** Sends one batch once. @throws what `fetch` throws when nobody answers within 5 s. */
export async function sendBatch(server: Pick<TestServer, 'url' | 'key'>, batch: Batch): Promise<BatchAnswer> {
  return sendBody(server, gzipSync(encodeBatch(batch)));
}

/** Sends one batch once. @param body Encoded and gzipped. @returns Whether it is known to be stored; what is not has to be sent again. */
export async function isAcknowledged(server: Pick<TestServer, 'url' | 'key'>, body: Buffer): Promise<boolean> {
  try {
    const { status, body: answer } = await sendBody(server, body);
    return status === 202 && (answer.accepted ?? 0) + (answer.duplicates ?? 0) === 1;
  } catch {
    return false; // killed under the request: nobody knows whether it was stored, so it is sent again
  }
}

async function sendBody({ url, key }: Pick<TestServer, 'url' | 'key'>, body: Buffer): Promise<BatchAnswer> {
  const response = await fetch(`${url}/api/v1/batches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(5_000),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as BatchAnswer['body'],
  };
}
