import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHearthError } from './problem-filter.js';
import { readBody } from './read-body.js';

const MAX_BYTES = 100_000;
let server: Server;
let port: number;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  server = createServer((incoming, response) => {
    readBody(incoming, MAX_BYTES).then(
      (body) => response.end(String(body.length)),
      (error: unknown) => {
        const { status, code } = toHearthError(error);
        response.writeHead(status).end(code);
      },
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  agent.destroy();
  server.close();
});

/** Sends `chunks` without saying how many come. */
function sendChunked(chunks: readonly Buffer[]): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
      text(response).then((answer) => {
        resolve({ status: response.statusCode, text: answer });
      }, reject);
    });
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

describe('readBody', () => {
  it('reads a body of unknown length up to the limit', async () => {
    expect(await sendChunked([Buffer.alloc(MAX_BYTES - 1), Buffer.alloc(1)])).toEqual({ status: 200, text: String(MAX_BYTES) });
  });

  it('answers one that is too large, and the next one on the same connection', { timeout: 3_000 }, async () => {
    const tooLarge = Array.from({ length: 100 }, () => Buffer.alloc(MAX_BYTES));
    expect(await sendChunked(tooLarge)).toEqual({ status: 413, text: 'BODY_TOO_LARGE' });
    expect(await sendChunked([Buffer.alloc(MAX_BYTES + 1)])).toEqual({ status: 413, text: 'BODY_TOO_LARGE' });
    expect(await sendChunked([Buffer.alloc(1)])).toEqual({ status: 200, text: '1' });
  });
});
