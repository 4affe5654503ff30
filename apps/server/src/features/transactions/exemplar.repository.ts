import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EpochMs, Label, LabelSet, Micros, TimeRange } from '@hearth/profile-model';
import { OUTCOMES, TRANSACTION_KINDS, type Outcome, type TransactionKind } from '@hearth/wire-format';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { arrayText, ReadDatabase, type Freshness } from '../../platform/database/index.js';
import { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { groupText, hourOf, type SlowestGroup } from './slowest.js';
import type { LabelledRows, TransactionWindowFilter } from './transaction-window.repository.js';

const DAY_MS = 86_400_000;

/** What an exemplar is found by, in its project. */
export interface ExemplarKey {
  readonly serviceId: number;
  /** Of the minute that it is counted in, as its transaction is. */
  readonly windowStartMs: EpochMs;
  /** A UUID. */
  readonly id: string;
}

/** One slow transaction, without what is only read when it is looked at. */
export interface ExemplarHead {
  readonly serviceId: number;
  readonly windowStartMs: EpochMs;
  readonly processId: number;
  readonly revisionId: number;
  readonly environmentId: number;
  /** Its label `transaction` is the name. */
  readonly labelSetId: number;
  readonly kind: TransactionKind;
  readonly outcome: Outcome;
  /** Perhaps long before the minute that it is counted in: that is the one in which it ended. */
  readonly startMs: EpochMs;
  readonly durationMicros: Micros;
  readonly cpuMicros: Micros;
  readonly awaitedMicros: Micros;
  /** Samples and waits that it had; of them only so many are kept. */
  readonly sampleCount: number;
  readonly keptSampleCount: number;
  readonly waitCount: number;
  readonly spanCount: number;
  readonly context: LabelSet;
}

export interface Exemplar extends ExemplarHead {
  readonly nameHash: string;
  /** Inputs of all its spans, each once: for a deletion to find. */
  readonly inputs: readonly Label[];
  /** As `encodeExemplarBody` makes it. */
  readonly body: Uint8Array;
}
export type ReadExemplarHead = ExemplarHead & { readonly id: string };

export interface LabelledExemplars extends LabelledRows {
  /** As said in a context or in the inputs of a span. */
  readonly label: Label;
  /** Of those that say it: their minute starts no later. */
  readonly untilMs: EpochMs;
}

export interface ExemplarFilter extends TransactionWindowFilter {
  readonly name: string;
}

/** One that is kept already, of a group. */
export interface KeptExemplar extends ExemplarKey {
  readonly group: string;
  readonly durationMicros: Micros;
}

/** Names are too long for an index. */
export function nameHash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** The group that an exemplar competes in. */
export function groupOf(
  one: Pick<Exemplar, 'serviceId' | 'nameHash' | 'revisionId' | 'environmentId' | 'windowStartMs'>,
): SlowestGroup {
  const { serviceId, revisionId, environmentId } = one;
  return { serviceId, nameHash: one.nameHash, revisionId, environmentId, hourMs: hourOf(one.windowStartMs) };
}

const HEAD = `
  service_id AS "serviceId", window_start_ms AS "windowStartMs", id, process_id AS "processId", revision_id AS "revisionId",
  environment_id AS "environmentId", label_set_id AS "labelSetId", kind, outcome, start_ms AS "startMs", duration_us AS "durationMicros",
  cpu_us AS "cpuMicros", awaited_us AS "awaitedMicros", sample_count AS "sampleCount", kept_sample_count AS "keptSampleCount",
  wait_count AS "waitCount", span_count AS "spanCount", context`;

/** Owns exemplar, partitioned by day. */
@Injectable()
export class ExemplarRepository {
  readonly partitions: TimePartitions;

  constructor(
    dataSource: DataSource,
    private readonly reads: ReadDatabase,
  ) {
    this.partitions = new TimePartitions(dataSource, 'exemplar', { widthMs: DAY_MS });
  }

  /** Within the caller's database transaction, into partitions that are there. */
  async add(client: ClientBase, exemplars: readonly Exemplar[]): Promise<void> {
    const column = (of: (one: Exemplar) => number) => arrayText(exemplars.map(of));
    await client.query(ADD, [
      column((one) => one.serviceId),
      column((one) => one.windowStartMs),
      exemplars.map((one) => one.nameHash),
      column((one) => one.labelSetId),
      column((one) => one.revisionId),
      column((one) => one.environmentId),
      column((one) => one.processId),
      column((one) => TRANSACTION_KINDS.indexOf(one.kind)),
      column((one) => OUTCOMES.indexOf(one.outcome)),
      column((one) => one.startMs),
      column((one) => one.durationMicros),
      column((one) => one.cpuMicros),
      column((one) => one.awaitedMicros),
      column((one) => one.sampleCount),
      column((one) => one.keptSampleCount),
      column((one) => one.waitCount),
      column((one) => one.spanCount),
      exemplars.map((one) => JSON.stringify(one.context)),
      exemplars.map((one) => JSON.stringify(one.inputs)),
      exemplars.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
    ]);
  }

  /** What these groups have, as far as others have committed it. */
  async listKept(client: ClientBase, groups: readonly SlowestGroup[]): Promise<KeptExemplar[]> {
    const hours = groups.map(({ hourMs }) => hourMs);
    const found = await client.query(LIST_KEPT, [
      arrayText(groups.map((one) => one.serviceId)),
      groups.map((one) => one.nameHash),
      arrayText(groups.map((one) => one.revisionId)),
      arrayText(groups.map((one) => one.environmentId)),
      arrayText(hours),
      Math.min(...hours),
      hourOf(Math.max(...hours)) + HOUR_MS,
    ]);
    return (found.rows as (ExemplarKey & { at: number; durationMicros: Micros })[]).map(({ at, ...kept }) => ({
      ...kept,
      group: groupText(groups[at - 1]!),
    }));
  }

  /** Those that somebody else is deleting are passed by: two who waited for each other's could wait in a circle. */
  async remove(client: ClientBase, keys: readonly ExemplarKey[]): Promise<void> {
    await client.query(REMOVE, [
      arrayText(keys.map((one) => one.serviceId)),
      arrayText(keys.map((one) => one.windowStartMs)),
      keys.map((one) => one.id),
    ]);
  }

  /** The slowest first. */
  async list(filter: ExemplarFilter, limit: number, freshness: Freshness): Promise<ReadExemplarHead[]> {
    const parameters = [
      filter.serviceId,
      filter.fromMs,
      filter.untilMs,
      nameHash(filter.name),
      filter.environmentIds ?? null,
      filter.revisionIds ?? null,
      filter.processIds ?? null,
      filter.labelSetIds ?? null,
      limit,
    ];
    const rows = await this.reads.read(freshness, (dataSource) => dataSource.query(LIST, parameters));
    return (rows as HeadRow[]).map(headOf);
  }

  async find({ serviceId, windowStartMs, id }: ExemplarKey): Promise<(ReadExemplarHead & { body: Uint8Array }) | undefined> {
    // An address may be of a moment ago.
    const rows = (await this.reads.read('latest', (dataSource) =>
      dataSource.query(`SELECT ${HEAD}, body FROM exemplar WHERE service_id = $1 AND window_start_ms = $2 AND id = $3`, [
        serviceId,
        windowStartMs,
        id,
      ]),
    )) as (HeadRow & { body: Buffer })[];
    return rows[0] && { ...headOf(rows[0]), body: rows[0].body };
  }

  /** Removes those that were under way within a range, whichever minute they are counted in. @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, { fromMs, untilMs }: TimeRange, note: NoteRemoved): Promise<void> {
    // They are counted where they ended, however long they ran.
    const where = 'service_id = $1 AND window_start_ms >= $2 AND start_ms < $3';
    await this.partitions.removeRows({ where, parameters: [serviceId, fromMs, untilMs] }, note, { fromMs, untilMs: Infinity });
  }

  /** Removes those of label sets or processes, and those that say a label in their context or the inputs of a span. @param note - As above */
  async removeLabelled(serviceId: number, labelled: LabelledExemplars, note: NoteRemoved): Promise<void> {
    const { labelSetIds, processIds, label, untilMs } = labelled;
    const where = `service_id = $1 AND (label_set_id = ANY ($4) OR process_id = ANY ($5) OR window_start_ms <= $6 AND ${SAYS})`;
    await this.partitions.removeRows({ where, parameters: [serviceId, ...label, labelSetIds, processIds, untilMs] }, note);
  }

  async areSaying(client: ClientBase, serviceId: number, label: Label): Promise<boolean> {
    const found = await client.query(`SELECT FROM exemplar WHERE service_id = $1 AND ${SAYS} LIMIT 1`, [serviceId, ...label]);
    return found.rowCount === 1;
  }
}

/** A label, of name $2 and value $3. */
const SAYS = `(${['context', 'inputs']
  .map((column) => `EXISTS (SELECT FROM jsonb_array_elements(${column}) AS label WHERE label ->> 0 = $2 AND label ->> 1 = $3)`)
  .join(' OR ')})`;

const HOUR_MS = 3_600_000;

type HeadRow = Omit<ReadExemplarHead, 'kind' | 'outcome'> & { readonly kind: number; readonly outcome: number };

function headOf({ kind, outcome, ...row }: HeadRow): ReadExemplarHead {
  return { ...row, kind: TRANSACTION_KINDS[kind]!, outcome: OUTCOMES[outcome]! };
}

const ADD = `
  INSERT INTO exemplar (service_id, window_start_ms, name_hash, label_set_id, revision_id, environment_id, process_id, kind, outcome, start_ms,
    duration_us, cpu_us, awaited_us, sample_count, kept_sample_count, wait_count, span_count, context, inputs, body)
  SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r::jsonb, s::jsonb, t
  FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[], $9::smallint[], $10::bigint[],
    $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::int[], $16::bigint[], $17::int[], $18::text[], $19::text[], $20::bytea[])
    AS new (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)`;

/** The last two say which partitions to look into. */
const LIST_KEPT = `
  SELECT wanted.at, e.service_id AS "serviceId", e.window_start_ms AS "windowStartMs", e.id, e.duration_us AS "durationMicros"
  FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
    WITH ORDINALITY AS wanted (service_id, name_hash, revision_id, environment_id, hour_ms, at)
  JOIN exemplar e ON e.service_id = wanted.service_id AND e.name_hash = wanted.name_hash AND e.revision_id = wanted.revision_id
    AND e.environment_id = wanted.environment_id AND e.window_start_ms >= wanted.hour_ms AND e.window_start_ms < wanted.hour_ms + ${HOUR_MS}
  WHERE e.window_start_ms >= $6 AND e.window_start_ms < $7`;

const REMOVE = `
  WITH free AS MATERIALIZED (
    SELECT e.service_id, e.window_start_ms, e.id FROM unnest($1::bigint[], $2::bigint[], $3::uuid[]) AS gone (service_id, window_start_ms, id)
    JOIN exemplar e ON e.service_id = gone.service_id AND e.window_start_ms = gone.window_start_ms AND e.id = gone.id
    FOR UPDATE OF e SKIP LOCKED
  )
  DELETE FROM exemplar e USING free WHERE e.service_id = free.service_id AND e.window_start_ms = free.window_start_ms AND e.id = free.id`;

const LIST = `
  SELECT ${HEAD} FROM exemplar
  WHERE service_id = $1 AND window_start_ms >= $2 AND window_start_ms < $3 AND name_hash = $4
    AND ($5::bigint[] IS NULL OR environment_id = ANY ($5)) AND ($6::bigint[] IS NULL OR revision_id = ANY ($6))
    AND ($7::bigint[] IS NULL OR process_id = ANY ($7)) AND ($8::bigint[] IS NULL OR label_set_id = ANY ($8))
  ORDER BY duration_us DESC, window_start_ms DESC, id LIMIT $9`;
