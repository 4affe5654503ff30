import { BATCH_CONTENT_TYPE } from '@hearth/wire-format';
import type { TestServer } from './server.js';

/** Sends one batch once. @param body Encoded and gzipped. @returns Whether it is known to be stored; what is not has to be sent again. */
export async function isAcknowledged({ url, key }: Pick<TestServer, 'url' | 'key'>, body: Buffer): Promise<boolean> {
  try {
    const response = await fetch(`${url}/api/v1/batches`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': BATCH_CONTENT_TYPE, 'content-encoding': 'gzip' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(5_000),
    });
    if (response.status !== 202) return false;
    const { accepted, duplicates } = (await response.json()) as { accepted: number; duplicates: number };
    return accepted + duplicates === 1;
  } catch {
    return false; // killed under the request: nobody knows whether it was stored, so it is sent again
  }
}
