import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGunzip, gunzipSync } from 'node:zlib';
import { labelSetKey, type LabelSet } from '@hearth/profile-model';
import { decodeBatches, type Batch, type BatchProfile } from '@hearth/wire-format';

/** How the sink answers one request; the default stores and acknowledges. */
export type Answer = (response: ServerResponse, batches: Batch[]) => void;

export interface SentMap {
  /** Of the generated file; '' of a claim. */
  readonly file: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** A real HTTP server in the place of Hearth: keeps every batch that it acknowledged. */
export class Sink {
  readonly requests: { readonly authorization: string | undefined; readonly batches: Batch[]; readonly atMs: number }[] = [];
  readonly stored: Batch[] = [];
  /** Commands that every acknowledgement offers; their process is whoever sent the batch, where they name none. */
  offered: object[] = [];
  /** Before the batches in `stored` are acknowledged. */
  onStored: () => void = () => {};
  answer: Answer = (response, batches) => this.store(response, batches);
  /** Claims and source maps that came, with what was sent of them, also where it broke off. */
  readonly maps: SentMap[] = [];
  /** Default: all are wanted. */
  answerMap: (map: SentMap, response: ServerResponse) => void = (map, response) => this.takeMap(map, response);
  readonly #server: Server = createServer((request, response) => void this.#take(request, response));

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

  /** Acknowledges as Hearth does. */
  store(response: ServerResponse, batches: Batch[]): void {
    this.stored.push(...batches);
    this.onStored();
    const commands = this.offered.map((command) => ({ process: batches[0]!.process.id, ...command }));
    response
      .writeHead(202, { 'content-type': 'application/json' })
      .end(JSON.stringify({ accepted: batches.length, duplicates: 0, rejected: [], commands }));
  }

  /** Answers as Hearth does. */
  takeMap({ file, body }: SentMap, response: ServerResponse): void {
    const files = file === '' ? (JSON.parse(body) as { files: string[] }).files : [];
    const answer = file === '' ? { states: files.map(() => 'claimed') } : { outcome: 'stored' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  async #takeMap(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = new URL(request.url!, this.url).searchParams;
    const plain = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
    request.once('close', () => request.complete || plain.destroy());
    let body = '';
    try {
      for await (const chunk of plain) body += String(chunk);
    } catch {
      return void this.maps.push({ file: query.get('file') ?? '', query, body: `${body}(broken off)` });
    }
    const map = { file: query.get('file') ?? '', query, body };
    this.maps.push(map);
    this.answerMap(map, response);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.includes('/source-maps') === true) return this.#takeMap(request, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const batches = decodeBatches(gunzipSync(Buffer.concat(chunks)));
    this.requests.push({ authorization: request.headers.authorization, batches, atMs: Date.now() });
    this.answer(response, batches);
  }
}

/** Finished transactions in all batches, by name and outcome, as `name outcome`. */
export function countsByName(batches: readonly Batch[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { transactions, labelSets } of batches) {
    for (const { labelSet, outcome, count } of transactions) {
      const key = `${nameOf(labelSets[labelSet]!)} ${outcome}`;
      counts[key] = (counts[key] ?? 0) + count;
    }
  }
  return counts;
}

export function profileOf(
  batch: Batch,
  type: 'cpu' | 'wall' | 'wait' | 'awaited' | 'inuse_space' | 'inuse_objects' | 'alloc_space' | 'calls',
): BatchProfile | undefined {
  return batch.profiles.find(({ typeId }) => typeId.split(':')[1] === type);
}

export interface FlatSample {
  readonly labels: LabelSet;
  readonly functionsRootFirst: string[];
  readonly value: number;
  readonly count: number;
}

/** Every row of one profile type with its functions' names. */
export function flatSamples(batch: Batch, type: Parameters<typeof profileOf>[1]): FlatSample[] {
  const profile = profileOf(batch, type);
  if (profile === undefined) return [];
  return [...profile.sampleStack].map((stack, at) => ({
    labels: batch.labelSets[profile.sampleLabelSet[at]!]!,
    functionsRootFirst: functionNames(batch, stack),
    value: profile.sampleValue[at]!,
    count: profile.sampleCount[at]!,
  }));
}

/** The rows of one function in the stacks of one profile type, as `name script line`. */
export function functionRows(batch: Batch, type: Parameters<typeof profileOf>[1], name: string): string[] {
  const { stacks, functions } = batch;
  const rows = new Set<number>();
  for (const stack of profileOf(batch, type)?.sampleStack ?? []) {
    for (let row = stack; row !== -1; row = stacks.parent[row]!) rows.add(stacks.functionRow[row]!);
  }
  return [...rows]
    .filter((row) => functions.name[row] === name)
    .map((row) => `${functions.name[row]} ${functions.scriptName[row]} ${functions.line[row]}`);
}

export function nameOf(labels: LabelSet): string {
  return labels.find(([label]) => label === 'transaction')?.[1] ?? labelSetKey(labels);
}

export function functionNames({ stacks, functions }: Batch, stack: number): string[] {
  const names: string[] = [];
  for (let row = stack; row !== -1; row = stacks.parent[row]!) names.push(functions.name[stacks.functionRow[row]!]!);
  return names.reverse();
}

/** Every value of every label that was sent. */
export function labelTexts(batches: readonly Batch[]): string[] {
  return batches.flatMap(({ labelSets }) => labelSets.flatMap((labels) => labels.map(([, value]) => value)));
}
