import timers from 'node:timers';
import { request as httpRequest, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { DurationMs } from '@hearth/profile-model';
import { quietly } from '../waits/quietly.js';
import type { Answer } from './answer.js';

/** What is read of an answer; the rest is not for us. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface PostTarget {
  readonly url: URL;
  readonly key: string;
  readonly userAgent: string;
}

/** The attempt ended before the server's name was resolved. */
export class NameNotResolvedError extends Error {
  override readonly name = 'NameNotResolvedError';
}

/**
 * One POST. Every attempt has a connection of its own: between two periods no socket is left open.
 * Nothing in it keeps the process alive but the lookup of the server's name, which nothing can take back; who has to wait for it holds
 * the process himself.
 *
 * @param send - Writes the body and ends the request. An answer that comes before destroys it.
 * @returns A promise that rejects where no whole answer came in time; with `NameNotResolvedError` where it was the lookup.
 */
export function httpPost(
  { url, key, userAgent }: PostTarget,
  headers: OutgoingHttpHeaders,
  timeoutMs: DurationMs,
  send: (request: ClientRequest) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const all = { authorization: `Bearer ${key}`, 'user-agent': userAgent, ...headers };
    const request = quietly(() => begin(url, { method: 'POST', agent: false, headers: all }));
    let isResolved = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0; // then there is no lookup
    const fail = (error: Error): void => {
      timers.clearTimeout(timer);
      request.destroy();
      reject(isResolved ? error : new NameNotResolvedError(error.message));
    };
    // Not by an error of the request: after some answers, as 101, it has none any more.
    const timer = timers.setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
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
        timers.clearTimeout(timer);
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
    send(request);
  });
}
