import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { readProfiles } from '@hearth/profile-formats';
import type { Profile } from '@hearth/profile-model';
import { decodeBatches, type Batch } from '@hearth/wire-format';

/** Stands in for a server: keeps what the agent sends as batches, and what Pyroscope's client sends as profiles. */
export class Collector {
  readonly batches: Batch[] = [];
  readonly profiles: Profile[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const body = gunzipSync(Buffer.concat(chunks));
        if (request.url!.startsWith('/ingest')) this.profiles.push(...readProfiles(body).profiles);
        else this.batches.push(...decodeBatches(body));
        response.writeHead(202, { 'content-type': 'application/json' }).end('{"accepted":1,"duplicates":0,"rejected":[]}');
      });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Every value of one series of the process, in the order of its batches. */
  series(name: string): number[] {
    return this.batches.flatMap(({ series }) => series.filter((one) => one.name === name).map(({ value }) => value));
  }
}
