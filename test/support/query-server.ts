import type { Server } from 'node:http';
import { DurationSketch, labelSet, profileTypeId, profileTypeKind, type Profile } from '@hearth/profile-model';
import type { CountedKind, Outcome } from '@hearth/wire-format';
import { parseEnvironment } from '../../apps/server/src/config/environment.js';
import { Projects } from '../../apps/server/src/features/access/index.js';
import { LabelSets, Origins, ProfileTypes } from '../../apps/server/src/features/catalog/index.js';
import { ProfileStore, type BatchToStore } from '../../apps/server/src/features/profile-store/index.js';
import { epochOf, StackDictionaries } from '../../apps/server/src/features/stacks/index.js';
import { createApp } from '../../apps/server/src/hearth-server.js';
import { MIGRATIONS } from '../../apps/server/src/migrations/index.js';
import { runMigrations } from '../../apps/server/src/platform/database/index.js';
import { createLogger } from '../../apps/server/src/platform/observability/index.js';

/** One flush of one process, as a test writes it. */
export interface StoredFlush {
  /** Default `shop`. */
  readonly service?: string;
  /** Default `production`. */
  readonly environment?: string;
  /** Default `r1`. */
  readonly revision?: string;
  /** Any name; becomes 32 hexadecimal digits. Default `p1`. */
  readonly process?: string;
  readonly processLabels?: Readonly<Record<string, string>>;
  readonly startMs: number;
  /** Default 10 s. */
  readonly durationMs?: number;
  readonly profiles?: readonly Profile[];
  readonly transactions?: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly kind?: CountedKind;
    readonly outcome?: Outcome;
    /** Of measures nanoseconds. */
    readonly durationsMicros: readonly number[];
  }[];
  readonly series?: Readonly<Record<string, number>>;
}

export interface TestAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

type TestApp = Awaited<ReturnType<typeof createApp>>;

const KEY = 'key-of-the-tests-0123456789';
const NO_STACKS: Pick<Profile, 'functions' | 'stacks'> = {
  functions: { length: 0, name: [], package: [], file: [] },
  stacks: { length: 0, parent: new Int32Array(), functionRow: new Uint32Array() },
};

/** A server of one role over a migrated database, with a way to store profiles without an agent. */
export class QueryServer {
  readonly app: TestApp;
  readonly #url: string;
  #sequence = 0;

  private constructor(app: TestApp, url: string) {
    this.app = app;
    this.#url = url;
  }

  static async start(
    databaseUrl: string,
    role: 'api' | 'worker' | 'all' = 'api',
    variables: Readonly<Record<string, string>> = {},
  ): Promise<QueryServer> {
    const environment = parseEnvironment({
      DATABASE_URL: databaseUrl,
      HEARTH_ROLE: role,
      HEARTH_BOOTSTRAP_KEY: KEY,
      HEARTH_ADMIN_PASSWORD: 'password-of-the-tests',
      LOG_LEVEL: 'error',
      TICK_MS: '100',
      ...variables,
    });
    await runMigrations(databaseUrl, MIGRATIONS);
    const app = await createApp(environment, databaseUrl, createLogger(environment.logLevel));
    await app.listen(0, '127.0.0.1');
    return new QueryServer(app, await app.getUrl());
  }

  /** Requests under way first: a client that has left does not stop its question at once. */
  async stop(): Promise<void> {
    const http = this.app.getHttpServer() as Server;
    const closed = new Promise((resolve) => http.close(resolve));
    http.closeIdleConnections();
    await closed;
    await this.app.close();
  }

  /** For senders. */
  get address(): { readonly url: string; readonly key: string } {
    return { url: this.#url, key: KEY };
  }

  async get<Body>(path: string, signal?: AbortSignal): Promise<TestAnswer<Body>> {
    return this.#answer(
      await fetch(this.#url + path, { headers: { authorization: `Bearer ${KEY}` }, ...(signal && { signal }) }),
    );
  }

  /** @param key - Default: an admin's. */
  async post<Body>(path: string, body: unknown, key = KEY): Promise<TestAnswer<Body>> {
    return this.#answer(
      await fetch(this.#url + path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      }),
    );
  }

  /** @param key - Default: an admin's. */
  async put<Body>(path: string, body: unknown, key = KEY): Promise<TestAnswer<Body>> {
    return this.#answer(
      await fetch(this.#url + path, {
        method: 'PUT',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      }),
    );
  }

  /** @param key - Default: an admin's. */
  async delete<Body>(path: string, key = KEY): Promise<TestAnswer<Body>> {
    return this.#answer(await fetch(this.#url + path, { method: 'DELETE', headers: { authorization: `Bearer ${key}` } }));
  }

  async getBytes(path: string): Promise<Uint8Array> {
    const response = await fetch(this.#url + path, { headers: { authorization: `Bearer ${KEY}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Stores flushes as ingest would, each once. */
  async store(...flushes: readonly StoredFlush[]): Promise<void> {
    const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => this.app.get(kind, { strict: false });
    const [project] = await of(Projects).list();
    for (const flush of flushes) {
      const {
        service = 'shop',
        environment = 'production',
        revision = 'r1',
        process = 'p1',
        startMs,
        durationMs = 10_000,
      } = flush;
      const sender = {
        service,
        environment,
        revision,
        version: '1.0.0',
        processKey: Buffer.from(process).toString('hex').padStart(32, '0'),
        startedAtMs: startMs,
        host: 'host',
        pid: 1,
        nodeVersion: 'v20.20.0',
        agentVersion: '0.1.0',
        rateHz: 99,
        labels: labelSet(flush.processLabels ?? {}),
      };
      const { origin } = await of(Origins).ensure(project!.id, sender, startMs);
      const labelGeneration = await of(LabelSets).generationOf(origin.serviceId);
      const sighting = { origin, fromMs: startMs, untilMs: startMs + durationMs, labelGeneration, droppedBatches: 0 };
      const transactions: BatchToStore['transactions'][number][] = [];
      for (const { labels, kind = 'http', outcome = 'ok', durationsMicros } of flush.transactions ?? []) {
        const [labelSetId] = await of(LabelSets).intern(origin.serviceId, [labelSet(labels)]);
        const sketch = new DurationSketch();
        for (const micros of durationsMicros) sketch.add(micros);
        const { bucket, count } = sketch.toBuckets();
        transactions.push({
          labelSetId: labelSetId!,
          kind,
          outcome,
          count: durationsMicros.length,
          durationSumMicros: durationsMicros.reduce((sum, micros) => sum + micros, 0),
          sketchBucket: bucket,
          sketchCount: count,
        });
      }
      this.#sequence += 1;
      const sequence = this.#sequence;
      const key = { serviceId: origin.serviceId, epoch: epochOf(startMs) };
      const [first = NO_STACKS] = flush.profiles ?? [];
      await of(StackDictionaries).storeWithIds(key, first.functions, first.stacks, async (interned) => {
        let { usedEpoch } = interned;
        const blocks = [];
        for (const [at, profile] of (flush.profiles ?? []).entries()) {
          const { ids, usedEpoch: later } =
            at === 0 ? interned : await of(StackDictionaries).intern(key, profile.functions, profile.stacks);
          usedEpoch = later ?? usedEpoch;
          const labelSetIds = await of(LabelSets).intern(origin.serviceId, profile.labelSets);
          const [typeId] = await of(ProfileTypes).ensure(origin.serviceId, [profileTypeId(profile.type)]);
          blocks.push({
            profileTypeId: typeId!,
            kind: profileTypeKind(profile.type),
            stackId: profile.sampleStack.map((row) => (row < 0 ? -1 : ids[row]!)),
            labelSetId: profile.sampleLabelSet.map((row) => labelSetIds[row]!),
            value: profile.sampleValue,
            count: profile.sampleCount,
          });
        }
        await of(Origins).recordSightings([sighting]);
        const series = Object.entries(flush.series ?? {}).map(([name, value]) => ({ name, value }));
        await of(ProfileStore).storeBatches([
          { ...origin, sequence, startMs, durationMs, blocks, usedEpoch, transactions, series },
        ]);
      });
    }
  }

  async #answer<Body>(response: Response): Promise<TestAnswer<Body>> {
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? undefined : JSON.parse(text)) as Body };
  }
}
