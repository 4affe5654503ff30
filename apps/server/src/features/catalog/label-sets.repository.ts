import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { labelSetKey, labelValue, TRANSACTION_LABEL, type LabelSet } from '@hearth/profile-model';
import { Repository } from 'typeorm';
import { DEFAULT_LIMITS, OTHER, type ServiceLimits } from '../limits/index.js';
import { LabelSetEntity } from './label-set.entity.js';

/** Ids are drawn before their rows are committed, so a smaller one may appear later. No insert takes this long. */
const SETTLED_MS = 60_000;
/** What is remembered of all services together; then everything is read again. */
const REMEMBERED_SETS = 500_000;
/** Those that other servers have added are asked for this often: how many label sets there are; when there are too many of them, the transaction names. */
const READ_EVERY_MS = 60_000;
/** Sets that still may be made of folded ones, whose labels differ in their names. */
const ROOM_FOR_FOLDED = 1_000;

interface Remembered {
  readonly serviceId: number;
  /** Rows of the service in the table, roughly: without those that other servers have added since. `undefined`: not counted yet. */
  stored: { sets: number; readonly readMs: number } | undefined;
  /** Values of the label `transaction`, as roughly. */
  transactionNames: { readonly names: Set<string>; readonly readMs: number } | undefined;
  readonly byId: Map<number, LabelSet>;
  readonly idByKey: Map<string, number>;
  /** Every set with a smaller id is in `byId`. */
  settledId: number;
  /** The largest id at some moment: it settles when that is long enough ago. */
  settling: { readonly id: number; readonly atMs: number } | undefined;
}

/** Label sets, each once for each service. */
@Injectable()
export class LabelSets {
  readonly #services = new Map<number, Remembered>();
  #size = 0;

  constructor(@InjectRepository(LabelSetEntity) readonly table: Repository<LabelSetEntity>) {}

  /** All label sets of the service that were committed when this was called. Do not change the map. */
  async all(serviceId: number): Promise<ReadonlyMap<number, LabelSet>> {
    const remembered = this.#remembered(serviceId);
    const nowMs = Date.now();
    const rows = (await this.table.query('SELECT id, labels FROM label_set WHERE service_id = $1 AND id > $2 ORDER BY id', [
      serviceId,
      remembered.settledId,
    ])) as { id: number; labels: LabelSet }[];
    for (const { id, labels } of rows) this.#remember(remembered, id, labels);
    if (remembered.settling !== undefined && nowMs - remembered.settling.atMs > SETTLED_MS) {
      remembered.settledId = remembered.settling.id;
      remembered.settling = undefined;
    }
    const last = rows.at(-1);
    if (remembered.settling === undefined && last !== undefined && last.id > remembered.settledId)
      remembered.settling = { id: last.id, atMs: nowMs };
    return remembered.byId;
  }

  /**
   * Ids of the label sets, made where they are new. Committed when this resolves. Of a service with too many, new ones share the id of one whose
   * values are `__other__`; with too many transaction names, only the value of that label is.
   *
   * @returns Length `labelSets.length`, in their order.
   */
  async intern(serviceId: number, labelSets: readonly LabelSet[], limits = DEFAULT_LIMITS): Promise<number[]> {
    const remembered = this.#remembered(serviceId);
    let kept = labelSets;
    let unknown = unknownOf(remembered, kept);
    if (unknown.size > 0) {
      kept = await this.#withFewNames(remembered, kept, limits);
      unknown = unknownOf(remembered, kept);
    }
    if (unknown.size > 0) {
      const room = await this.#room(remembered, limits);
      if (unknown.size > room) {
        await this.#find(remembered, unknown); // those may be known to others
        unknown = unknownOf(remembered, kept);
      }
      if (unknown.size > room) {
        const isNew = (labels: LabelSet) => !remembered.idByKey.has(labelSetKey(labels));
        limits.hit('LABEL_SETS_FOLDED', 'folded', unknown.size);
        kept = kept.map((labels) => (isNew(labels) ? withFoldedValues(labels) : labels));
        unknown = unknownOf(remembered, kept);
        if (unknown.size > room + ROOM_FOR_FOLDED) {
          kept = kept.map((labels) => (isNew(labels) ? withoutNames(labels) : labels));
          unknown = unknownOf(remembered, kept);
        }
      }
      if (unknown.size > 0) await this.#insert(remembered, unknown);
    }
    return kept.map((labels) => remembered.idByKey.get(labelSetKey(labels))!);
  }

  /** New sets whose transaction is one too many get the transaction `__other__`. */
  async #withFewNames(
    remembered: Remembered,
    labelSets: readonly LabelSet[],
    limits: ServiceLimits,
  ): Promise<readonly LabelSet[]> {
    const max = limits.quota.transactionNamesPerService;
    const kept: LabelSet[] = [];
    for (const labels of labelSets) {
      const name = labelValue(labels, TRANSACTION_LABEL);
      if (name === undefined || name === OTHER || remembered.idByKey.has(labelSetKey(labels))) {
        kept.push(labels);
        continue;
      }
      let known = (remembered.transactionNames ??= await this.#readTransactionNames(remembered.serviceId));
      if (!known.names.has(name) && known.names.size >= max && known.readMs < Date.now() - READ_EVERY_MS)
        known = remembered.transactionNames = await this.#readTransactionNames(remembered.serviceId);
      if (known.names.has(name) || known.names.size < max) {
        known.names.add(name);
        kept.push(labels);
      } else {
        limits.hit('TRANSACTION_NAMES_FOLDED', 'folded');
        kept.push(labels.map(([label, value]) => [label, label === TRANSACTION_LABEL ? OTHER : value]));
      }
    }
    return kept;
  }

  async #readTransactionNames(serviceId: number): Promise<{ names: Set<string>; readMs: number }> {
    const readMs = Date.now();
    const rows = (await this.table.query(
      `SELECT DISTINCT label ->> 1 AS name FROM label_set, jsonb_array_elements(labels) AS label
       WHERE service_id = $1 AND label ->> 0 = $2 AND label ->> 1 <> $3`,
      [serviceId, TRANSACTION_LABEL, OTHER],
    )) as { name: string }[];
    return { names: new Set(rows.map(({ name }) => name)), readMs };
  }

  /** How many more the service may have. Counted anew now and then, because other servers add to them. */
  async #room(remembered: Remembered, { quota }: ServiceLimits): Promise<number> {
    if (remembered.stored === undefined || remembered.stored.readMs < Date.now() - READ_EVERY_MS)
      remembered.stored = await this.#count(remembered.serviceId);
    return quota.labelSetsPerService - remembered.stored.sets;
  }

  async #count(serviceId: number): Promise<{ sets: number; readMs: number }> {
    const readMs = Date.now();
    const rows = (await this.table.query('SELECT count(*) AS sets FROM label_set WHERE service_id = $1', [serviceId])) as {
      sets: number;
    }[];
    return { sets: rows[0]!.sets, readMs };
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#services.clear();
    this.#size = 0;
  }

  async #insert(remembered: Remembered, unknown: ReadonlyMap<string, LabelSet>): Promise<void> {
    const byHash = labelsByHash(unknown);
    // In one order everywhere: two servers that insert the same sets would otherwise wait for each other.
    const hashes = [...byHash.keys()].sort();
    const added = (await this.table.query(
      `INSERT INTO label_set (service_id, hash, labels)
       SELECT $1, hash, labels::jsonb FROM unnest($2::bytea[], $3::text[]) AS given (hash, labels) ORDER BY hash
       ON CONFLICT (service_id, hash) DO NOTHING RETURNING id`,
      [
        remembered.serviceId,
        hashes.map((hash) => Buffer.from(hash, 'hex')),
        hashes.map((hash) => JSON.stringify(byHash.get(hash)!)),
      ],
    )) as { id: number }[];
    if (remembered.stored !== undefined) remembered.stored.sets += added.length; // not those that were there
    // A second statement, so that it sees what another server committed meanwhile.
    await this.#find(remembered, unknown);
  }

  async #find(remembered: Remembered, unknown: ReadonlyMap<string, LabelSet>): Promise<void> {
    const byHash = labelsByHash(unknown);
    const rows = (await this.table.query('SELECT id, hash FROM label_set WHERE service_id = $1 AND hash = ANY ($2::bytea[])', [
      remembered.serviceId,
      [...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')),
    ])) as { id: number; hash: Buffer }[];
    for (const { id, hash } of rows) this.#remember(remembered, id, byHash.get(hash.toString('hex'))!);
  }

  #remember(remembered: Remembered, id: number, labels: LabelSet): void {
    if (remembered.byId.has(id)) return;
    remembered.byId.set(id, labels);
    remembered.idByKey.set(labelSetKey(labels), id);
    const { serviceId } = remembered;
    if (this.#services.get(serviceId) !== remembered) return; // forgotten meanwhile; whoever works with it still holds it
    this.#size += 1;
    if (this.#size <= REMEMBERED_SETS) return;
    this.#services.clear();
    this.#services.set(serviceId, remembered);
    this.#size = remembered.byId.size;
  }

  #remembered(serviceId: number): Remembered {
    let remembered = this.#services.get(serviceId);
    if (remembered === undefined) {
      remembered = {
        serviceId,
        stored: undefined,
        transactionNames: undefined,
        byId: new Map(),
        idByKey: new Map(),
        settledId: 0,
        settling: undefined,
      };
      this.#services.set(serviceId, remembered);
    }
    return remembered;
  }
}

function unknownOf({ idByKey }: Remembered, labelSets: readonly LabelSet[]): Map<string, LabelSet> {
  return new Map(labelSets.map((labels) => [labelSetKey(labels), labels] as const).filter(([key]) => !idByKey.has(key)));
}

function labelsByHash(unknown: ReadonlyMap<string, LabelSet>): Map<string, LabelSet> {
  return new Map([...unknown].map(([key, labels]) => [createHash('sha256').update(key).digest('hex'), labels]));
}

/** Still with the names, by which people group. */
function withFoldedValues(labels: LabelSet): LabelSet {
  return labels.map(([name]) => [name, OTHER]);
}

/** Samples of transactions stay so. */
function withoutNames(labels: LabelSet): LabelSet {
  return labels.some(([name]) => name === TRANSACTION_LABEL) ? [[TRANSACTION_LABEL, OTHER]] : [];
}
