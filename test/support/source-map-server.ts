import type { FunctionsAnswer, SourceMapAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import type { Batch } from '@hearth/wire-format';
import { lineBatch } from './line-batch.js';
import { madeMap } from './made-map.js';
import { startTestPostgres, type TestPostgres } from './postgres.js';
import { QueryServer, type TestAnswer } from './query-server.js';
import { sendBatch } from './send-batch.js';

/** When the first batch begins; all are within ten minutes from then on. */
export const START = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
export const RANGE = `from=${START}&until=${START + 600_000}`;
export const MAX_MAP_BYTES = 100_000;
export const MAX_TOTAL_BYTES = 20_000;
/** `function a(` at 600 and `b=(` at 700, of one line. */
export const MAP = madeMap([
  [
    [600, 0, 9, 9, 0],
    [602, 0, 9, 12],
    [700, 1, 4, 2, 1],
    [702, 1, 4, 15],
  ],
]);
/** Value, then frames from root to leaf, each `name#line:column@file`. */
export type PlacedStack = readonly [value: number, ...frames: string[]];
/** Of the functions in `MAP`. */
export const STACKS: readonly PlacedStack[] = [
  [1000, 'main#1:1@main.js', 'a#1:602@dist/app.js'],
  [300, 'main#1:1@main.js', 'b#1:703@dist/app.js'],
];

/** A server that takes small maps, and batches of the service `made` with places of functions. */
export class SourceMapServer {
  readonly #postgres: TestPostgres;
  readonly server: QueryServer;
  #sequence = 0;

  private constructor(postgres: TestPostgres, server: QueryServer) {
    this.#postgres = postgres;
    this.server = server;
  }

  static async start(): Promise<SourceMapServer> {
    const postgres = await startTestPostgres();
    const limits = { MAX_SOURCE_MAP_BYTES: String(MAX_MAP_BYTES), MAX_SOURCE_MAPS_TOTAL_BYTES: String(MAX_TOTAL_BYTES) };
    return new SourceMapServer(postgres, await QueryServer.start(await postgres.createDatabase(), 'api', limits));
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.#postgres.stop();
  }

  of<Kind>(kind: new (...parameters: never[]) => Kind): Kind {
    return this.server.app.get(kind, { strict: false });
  }

  async send<Body = SourceMapAnswer>(
    path: string,
    body: string | Uint8Array,
    { key = this.server.address.key, encoding }: { key?: string; encoding?: string } = {},
  ): Promise<TestAnswer<Body>> {
    const response = await fetch(this.server.address.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
      },
      body: typeof body === 'string' ? body : Uint8Array.from(body),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  }

  async upload(revision: string, map: object = MAP, file?: string): Promise<TestAnswer<SourceMapAnswer>> {
    return this.send(uploadPath(revision, file), JSON.stringify(map));
  }

  placedBatch(revision: string, ...stacks: readonly PlacedStack[]): Batch {
    const processId = Buffer.from(revision).toString('hex').padStart(32, '0').slice(-32);
    const made = { processId, ...this.nextPlace() };
    const depth = Math.max(...stacks.map(({ length }) => length));
    const rows = Array.from(
      { length: depth },
      (_, row) =>
      stacks.map((stack) => String(stack[row] ?? '').replace(/:\d+@/, '@').padEnd(60)).join(''), // prettier-ignore
    );
    const batch = lineBatch(made, rows.join('\n'), 'definition');
    const frames = stacks.flatMap(([, ...names]) => names.map((frame) => /^(.+)#\d+:(\d+)@/.exec(frame)!));
    const columnOf = new Map(frames.map(([, name, column]) => [name!, Number(column)]));
    return {
      ...batch,
      process: { ...batch.process, revision },
      functions: { ...batch.functions, column: Uint32Array.from(batch.functions.name, (name) => columnOf.get(name) ?? 0) },
    };
  }

  nextPlace(): { readonly sequence: number; readonly startMs: number } {
    this.#sequence += 1;
    return { sequence: this.#sequence, startMs: START + (this.#sequence % 50) * 1_000 };
  }

  async take(batch: Batch): Promise<void> {
    const { status, body } = await sendBatch(this.server.address, batch);
    if ((body as { accepted?: number }).accepted !== 1) throw new Error(`${status} ${JSON.stringify(body)}`);
  }

  async functions(revision: string): Promise<FunctionsAnswer> {
    return (await this.server.get<FunctionsAnswer>(`/api/v1/functions?service=made&revision=${revision}&${RANGE}`)).body;
  }

  /** Each as `name file self`. */
  async functionsOf(revision: string): Promise<string[]> {
    const { functions } = await this.functions(revision);
    return functions.map(({ name, package: packageName, file, self }) => `${name} ${packageName}${file} ${self}`).sort();
  }

  async listed(query = 'service=made'): Promise<SourceMapsAnswer> {
    return (await this.server.get<SourceMapsAnswer>(`/api/v1/source-maps?${query}`)).body;
  }
}

export function uploadPath(revision: string, file = 'dist/app.js', service = 'made'): string {
  return `/api/v1/source-maps?${new URLSearchParams({ service, revision, file }).toString()}`;
}
