import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { decodeBatches, type Batch } from '@hearth/wire-format';

/** Stands between an agent and a server, changes nothing, and keeps what was acknowledged. */
export interface RecordingProxy {
  readonly url: string;
  /** Batches that the server answered with 202, in the order of the answers. */
  readonly acknowledged: readonly Batch[];
  /** All that was asked, in the order of the answers. */
  readonly asked: readonly { readonly path: string; readonly status: number }[];
  stop(): Promise<void>;
}

export async function startRecordingProxy(targetUrl: string): Promise<RecordingProxy> {
  const acknowledged: Batch[] = [];
  const asked: { path: string; status: number }[] = [];
  const proxy = createServer((incoming, outgoing) => {
    void forward(targetUrl, incoming).then(
      ({ status, headers, sent, answer }) => {
        asked.push({ path: incoming.url ?? '', status });
        if (status === 202 && incoming.url?.startsWith('/api/v1/batches')) acknowledged.push(...decodeBatches(gunzipSync(sent)));
        outgoing.writeHead(status, headers).end(answer);
      },
      () => outgoing.destroy(), // the target is away: the agent sees a broken connection, as it would without us
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    acknowledged,
    asked,
    stop: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      }),
  };
}

async function forward(targetUrl: string, incoming: IncomingMessage) {
  const sent = await buffer(incoming);
  return new Promise<{ status: number; headers: IncomingMessage['headers']; sent: Buffer; answer: Buffer }>((resolve, reject) => {
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const outgoing = request(
      new URL(incoming.url ?? '/', targetUrl),
      { method: incoming.method ?? 'GET', headers },
      (response) => {
        buffer(response).then(
          (answer) => resolve({ status: response.statusCode ?? 502, headers: response.headers, sent, answer }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(sent);
  });
}
