import { decodeBatchesApart } from '@hearth/wire-format';
import { canonicalBatch, type CanonicalBatch } from '../../../apps/server/dist/features/ingest/canonical-batch.js';
import { NO_STACK, type BatchToStore } from '../../../apps/server/dist/features/profile-store/index.js';
import { epochOf } from '../../../apps/server/dist/features/stacks/index.js';
import { inflateBody } from '../../../apps/server/dist/platform/http/inflate.js';
import { labelSetKey, NO_PARENT, parseProfileTypeId, profileTypeKind } from '@hearth/profile-model';
import { PROFILE_TYPE_ROWS, type BenchStore, type InternedStacks } from './bench-store.js';

const MAX_INFLATED_BYTES = 64 * 2 ** 20;
/** Batches in one database transaction, as under load. */
const TOGETHER = 100;

/** CPU microseconds of this process for each profile, by stage; and of Postgres for all of them. */
export type StageFigures = Record<'inflate' | 'decode' | 'canonical' | 'stacks' | 'store' | 'postgres', number>;

/**
 * What a server does with bodies of our agent, one stage after the other in this thread: no HTTP, no hand-over between threads, no catalog.
 * The first `warmUp` bodies are not measured.
 */
export async function measureStages(
  bench: BenchStore,
  postgresCpuSeconds: () => number,
  bodies: readonly Uint8Array[],
  warmUp: number,
): Promise<StageFigures> {
  const micros: StageFigures = { inflate: 0, decode: 0, canonical: 0, stacks: 0, store: 0, postgres: 0 };
  const rows = new Map<string, number>();
  const rowOf = (key: string) => rows.get(key) ?? rows.set(key, rows.size + 1).get(key)!;
  let profiles = 0;
  let isMeasured = false;
  let postgresBefore = 0;
  const stage = async <Result>(
    name: Exclude<keyof StageFigures, 'postgres'>,
    work: () => Result | Promise<Result>,
  ): Promise<Result> => {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    if (isMeasured) micros[name] += user + system;
    return result;
  };
  for (let at = 0; at < bodies.length; at += TOGETHER) {
    if (!isMeasured && at >= warmUp) [isMeasured, postgresBefore] = [true, postgresCpuSeconds()];
    const some = bodies.slice(at, at + TOGETHER);
    const inflated = await stage('inflate', () => some.map((body) => inflateBody(body, 'gzip', MAX_INFLATED_BYTES)));
    const decoded = await stage('decode', () => inflated.flatMap((body) => decodeBatchesApart(body).batches));
    const canonical = await stage('canonical', () => decoded.map(canonicalBatch));
    const interned = await stage('stacks', () =>
      Promise.all(
        canonical.map(({ process: { service }, startMs, functions, stacks }) =>
          bench.dictionaries.intern({ serviceId: rowOf(service), epoch: epochOf(startMs) }, functions, stacks),
        ),
      ),
    );
    const batches = canonical.map((batch, row) => toStore(batch, interned[row]!, rowOf));
    await stage('store', () => bench.store.storeBatches(batches));
    if (isMeasured) profiles += batches.reduce((sum, { blocks }) => sum + blocks.length, 0);
  }
  micros.postgres = (postgresCpuSeconds() - postgresBefore) * 1e6;
  return Object.fromEntries(Object.entries(micros).map(([name, sum]) => [name, sum / profiles])) as StageFigures;
}

function toStore(batch: CanonicalBatch, { ids, usedEpoch }: InternedStacks, rowOf: (key: string) => number): BatchToStore {
  const { service, id, revision } = batch.process;
  const labelSetIds = batch.labelSets.map((labels) => rowOf(`${service} ${labelSetKey(labels)}`));
  return {
    serviceId: rowOf(service),
    processId: rowOf(id),
    revisionId: rowOf(`${service} revision ${revision}`),
    environmentId: 1,
    sequence: batch.sequence,
    startMs: batch.startMs,
    durationMs: batch.durationMs,
    usedEpoch,
    blocks: batch.profiles.map(({ typeId, sampleStack, sampleLabelSet, sampleValue, sampleCount }) => ({
      profileTypeId: PROFILE_TYPE_ROWS.indexOf(typeId as (typeof PROFILE_TYPE_ROWS)[number]) + 1,
      kind: profileTypeKind(parseProfileTypeId(typeId)),
      stackId: sampleStack.map((row) => (row === NO_PARENT ? NO_STACK : ids[row]!)),
      labelSetId: sampleLabelSet.map((row) => labelSetIds[row]!),
      value: sampleValue,
      count: sampleCount,
    })),
    transactions: batch.transactions.map(({ labelSet, ...counted }) => ({ ...counted, labelSetId: labelSetIds[labelSet]! })),
    series: batch.series,
  };
}
