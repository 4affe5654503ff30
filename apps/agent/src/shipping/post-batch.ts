import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { BATCH_CONTENT_TYPE } from '@hearth/wire-format';
import type { DurationMs } from '@hearth/profile-model';
import { quietly } from '../waits/quietly.js';
import type { Answer } from './answer.js';

/** What is read of an answer; the rest is not for us. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface PostTarget {
  /** Of `POST /api/v1/batches`. */
  readonly url: URL;
  readonly key: string;
  readonly userAgent: string;
}

/** The attempt ended before the server's name was resolved. */
export class NameNotResolvedError extends Error {
  override readonly name = 'NameNotResolvedError';
}

/**
 * One POST of one compressed batch. Every attempt has a connection of its own: between two periods no socket is left open.
 * Nothing in it keeps the process alive but the lookup of the server's name, which nothing can take back; who has to wait for it holds
 * the process himself.
 *
 * @returns A promise that rejects where no whole answer came in time; with `NameNotResolvedError` where it was the lookup.
 */
export function postBatch(target: PostTarget, bytes: Uint8Array, timeoutMs: DurationMs): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = target.url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      authorization: `Bearer ${target.key}`,
      'content-type': BATCH_CONTENT_TYPE,
      'content-encoding': 'gzip',
      'content-length': bytes.length,
      'user-agent': target.userAgent,
    };
    const request = quietly(() => send(target.url, { method: 'POST', agent: false, headers }));
    let isResolved = isIP(target.url.hostname.replace(/^\[|\]$/g, '')) !== 0; // then there is no lookup
    const fail = (error: Error): void => {
      clearTimeout(timer);
      request.destroy();
      reject(isResolved ? error : new NameNotResolvedError(error.message));
    };
    // Not by an error of the request: after some answers, as 101, it has none any more.
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    timer.unref();
    request.on('socket', (socket) => {
      socket.unref();
      socket.once('lookup', (error: Error | null) => {
        isResolved = error === null;
      });
    });
    request.on('error', fail);
    request.on('close', () => fail(new Error('the connection ended without an answer'))); // nothing happens after one
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => {
        clearTimeout(timer);
        request.destroy();
        const { 'retry-after': retryAfter } = response.headers;
        resolve({ status: response.statusCode ?? 0, retryAfter, body: Buffer.concat(chunks).toString('utf8') });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', fail);
      response.on('close', () => fail(new Error('the answer ended early'))); // nothing happens after `end`
    });
    request.end(bytes);
  });
}
