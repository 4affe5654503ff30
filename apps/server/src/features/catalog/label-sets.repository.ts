import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { labelSetKey, labelValue, TRANSACTION_LABEL, type LabelSet } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { DEFAULT_LIMITS, OTHER, type ServiceLimits } from '../limits/index.js';
import { inTurns } from './in-turns.js';
import { LabelSetEntity } from './label-set.entity.js';

/** Ids are drawn before their rows are committed, so a smaller one may appear later. No insert takes this long. */
const SETTLED_MS = 60_000;
/** What is remembered of all services together, roughly; then everything is read again. */
const REMEMBERED_BYTES = 256 * 2 ** 20;
/** Of one set, besides its characters: objects, and a place in two maps. */
const ENTRY_BYTES = 540;
/** Once in the key, once in the labels. */
const CHARACTER_BYTES = 2;
/** Longest set that is kept as it came: of all labels together, names and values. Longer ones are made up by somebody. */
const MAX_SET_CHARACTERS = 8_192;
/** Of all sets of a service on average. Longer ones fill its quota sooner: each server that is asked holds all of them. */
const AVERAGE_SET_CHARACTERS = 512;
/** Those that other servers have added are asked for this often: how many label sets there are; when there are too many of them, the transaction names. */
const READ_EVERY_MS = 60_000;
/** Sets that still may be made of folded ones, whose labels differ in their names. */
const ROOM_FOR_FOLDED = 1_000;

/** Label sets that are, or may be, and their texts all together. */
interface Room {
  sets: number;
  characters: number;
}

/** A set with its key, which takes longer to make than all the rest. */
interface Keyed {
  readonly labels: LabelSet;
  readonly key: string;
}

interface Remembered {
  readonly serviceId: number;
  /** Of the service, before anything was remembered. */
  readonly generation: number;
  /** Of `byId`, roughly. */
  bytes: number;
  /** Rows of the service in the table, roughly: without those that other servers have added since. `undefined`: not counted yet. */
  stored: (Room & { readonly readMs: number }) | undefined;
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
  #bytes = 0;

  constructor(@InjectRepository(LabelSetEntity) readonly table: Repository<LabelSetEntity>) {}

  /** All label sets of the service that were committed when this was called. Do not change the map. */
  async all(serviceId: number): Promise<ReadonlyMap<number, LabelSet>> {
    const generation = await this.#readGeneration(serviceId);
    if (this.#services.get(serviceId)?.generation !== generation) this.#forgetService(serviceId);
    const remembered = this.#remembered(serviceId, generation);
    const nowMs = Date.now();
    const rows = (await this.table.query('SELECT id, labels FROM label_set WHERE service_id = $1 AND id > $2 ORDER BY id', [
      serviceId,
      remembered.settledId,
    ])) as { id: number; labels: LabelSet }[];
    for (const { id, labels } of rows) this.#remember(remembered, id, keyed(labels));
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
   * Ids of the label sets, made where they are new. Committed when this resolves. Of a service with too many, or too long ones, new ones share the id of one
   * whose values are `__other__`; with too many transaction names, only the value of that label is.
   *
   * @returns Length `labelSets.length`, in their order. Good while the service is of the generation that `generationOf` told before
   * @throws {HearthError} `CATALOG_GONE_BACK` 503: some were deleted while they were looked up
   */
  async intern(serviceId: number, labelSets: readonly LabelSet[], limits = DEFAULT_LIMITS): Promise<number[]> {
    const remembered = await this.#current(serviceId);
    let kept: readonly Keyed[] = await inTurns(withShortTexts(labelSets, limits), charactersOf, keyed);
    if (unknownOf(remembered, kept).size > 0) {
      kept = await this.#withFewNames(remembered, kept, limits);
      kept = await this.#withinRoom(remembered, kept, limits);
      const unknown = unknownOf(remembered, kept);
      if (unknown.size > 0) await this.#insert(remembered, unknown);
    }
    return kept.map(({ key }) => remembered.idByKey.get(key) ?? goneMeanwhile());
  }

  /** Names of the transactions of label sets that `intern` gave, which may have folded them. @returns Length `ids.length`; '' of none */
  async transactionNames(serviceId: number, ids: readonly number[]): Promise<string[]> {
    let known: ReadonlyMap<number, LabelSet> | undefined = this.#services.get(serviceId)?.byId;
    if (known === undefined || !ids.every((id) => known?.has(id))) known = await this.all(serviceId);
    return ids.map((id) => labelValue(known.get(id) ?? goneMeanwhile(), TRANSACTION_LABEL) ?? '');
  }

  /** Of the label sets that `intern` gives from now on, or an earlier one. Ask before it, and store under its ids only while this is the service's. */
  async generationOf(serviceId: number): Promise<number> {
    return (await this.#current(serviceId)).generation;
  }

  /**
   * Deletes the label sets that hold a label, in the caller's database transaction, which raises the service's generation if there are any.
   *
   * @returns Their ids.
   */
  async retire(client: ClientBase, serviceId: number, name: string, value: string): Promise<number[]> {
    const retired = await client.query(
      `DELETE FROM label_set WHERE service_id = $1
         AND EXISTS (SELECT FROM jsonb_array_elements(labels) AS label WHERE label ->> 0 = $2 AND label ->> 1 = $3) RETURNING id`,
      [serviceId, name, value],
    );
    return (retired.rows as { id: number }[]).map(({ id }) => id);
  }

  /** In the caller's database transaction. Servers notice that what they remember is gone, and what is sent with the same labels from then on has other ids. */
  async raiseGeneration(client: ClientBase, serviceId: number): Promise<void> {
    await client.query('UPDATE service SET label_generation = label_generation + 1 WHERE id = $1', [serviceId]);
  }

  /** New sets that are too many lose their values, then their names. */
  async #withinRoom(remembered: Remembered, labelSets: readonly Keyed[], limits: ServiceLimits): Promise<readonly Keyed[]> {
    let kept = labelSets;
    let unknown = unknownOf(remembered, kept);
    if (unknown.size === 0) return kept;
    const room = await this.#room(remembered, limits);
    if (fits(unknown, room)) return kept;
    await this.#find(remembered, unknown); // those may be known to others
    unknown = unknownOf(remembered, kept);
    if (fits(unknown, room)) return kept;
    limits.hit('LABEL_SETS_FOLDED', 'folded', unknown.size);
    const foldNew = (fold: (labels: LabelSet) => LabelSet) =>
      kept.map((one) => (remembered.idByKey.has(one.key) ? one : keyed(fold(one.labels))));
    kept = foldNew(withFoldedValues);
    const roomForFolded = {
      sets: room.sets + ROOM_FOR_FOLDED,
      characters: room.characters + ROOM_FOR_FOLDED * AVERAGE_SET_CHARACTERS,
    };
    if (!fits(unknownOf(remembered, kept), roomForFolded)) kept = foldNew(withoutNames);
    return kept;
  }

  /** New sets whose transaction is one too many get the transaction `__other__`. */
  async #withFewNames(remembered: Remembered, labelSets: readonly Keyed[], limits: ServiceLimits): Promise<readonly Keyed[]> {
    const max = limits.quota.transactionNamesPerService;
    const kept: Keyed[] = [];
    for (const one of labelSets) {
      const name = labelValue(one.labels, TRANSACTION_LABEL);
      if (name === undefined || name === OTHER || remembered.idByKey.has(one.key)) {
        kept.push(one);
        continue;
      }
      let known = (remembered.transactionNames ??= await this.#readTransactionNames(remembered.serviceId));
      if (!known.names.has(name) && known.names.size >= max && known.readMs < Date.now() - READ_EVERY_MS)
        known = remembered.transactionNames = await this.#readTransactionNames(remembered.serviceId);
      if (known.names.has(name) || known.names.size < max) {
        known.names.add(name);
        kept.push(one);
      } else {
        limits.hit('TRANSACTION_NAMES_FOLDED', 'folded');
        kept.push(keyed(one.labels.map(([label, value]) => [label, label === TRANSACTION_LABEL ? OTHER : value])));
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
  async #room(remembered: Remembered, { quota }: ServiceLimits): Promise<Room> {
    if (remembered.stored === undefined || remembered.stored.readMs < Date.now() - READ_EVERY_MS)
      remembered.stored = await this.#count(remembered.serviceId);
    const { sets, characters } = remembered.stored;
    return {
      sets: quota.labelSetsPerService - sets,
      characters: quota.labelSetsPerService * AVERAGE_SET_CHARACTERS - characters,
    };
  }

  async #count(serviceId: number): Promise<Room & { readMs: number }> {
    const readMs = Date.now();
    const rows = (await this.table.query(
      'SELECT count(*) AS sets, COALESCE(sum(length(labels::text)), 0)::bigint AS characters FROM label_set WHERE service_id = $1',
      [serviceId],
    )) as Room[];
    return { ...rows[0]!, readMs };
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#services.clear();
    this.#bytes = 0;
  }

  async #insert(remembered: Remembered, unknown: ReadonlyMap<string, LabelSet>): Promise<void> {
    const byHash = await labelsByHash(unknown);
    // In one order everywhere: two servers that insert the same sets would otherwise wait for each other.
    const hashes = [...byHash.keys()].sort();
    const added = (await this.table.query(
      `INSERT INTO label_set (service_id, hash, labels)
       SELECT $1, hash, labels::jsonb FROM unnest($2::bytea[], $3::text[]) AS given (hash, labels) ORDER BY hash
       ON CONFLICT (service_id, hash) DO NOTHING RETURNING length(labels::text) AS characters`,
      [remembered.serviceId, hashes.map((hash) => Buffer.from(hash, 'hex')), hashes.map((hash) => byHash.get(hash)!.key)],
    )) as { characters: number }[];
    if (remembered.stored !== undefined) {
      // Not those that were there.
      remembered.stored.sets += added.length;
      for (const { characters } of added) remembered.stored.characters += characters;
    }
    // A second statement, so that it sees what another server committed meanwhile.
    await this.#findByHash(remembered, byHash);
  }

  async #find(remembered: Remembered, unknown: ReadonlyMap<string, LabelSet>): Promise<void> {
    await this.#findByHash(remembered, await labelsByHash(unknown));
  }

  async #findByHash(remembered: Remembered, byHash: ReadonlyMap<string, Keyed>): Promise<void> {
    const rows = (await this.table.query('SELECT id, hash FROM label_set WHERE service_id = $1 AND hash = ANY ($2::bytea[])', [
      remembered.serviceId,
      [...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')),
    ])) as { id: number; hash: Buffer }[];
    for (const { id, hash } of rows) this.#remember(remembered, id, byHash.get(hash.toString('hex'))!);
  }

  #remember(remembered: Remembered, id: number, { labels, key }: Keyed): void {
    if (remembered.byId.has(id)) return;
    remembered.byId.set(id, labels);
    remembered.idByKey.set(key, id);
    const bytes = ENTRY_BYTES + key.length * CHARACTER_BYTES;
    remembered.bytes += bytes;
    const { serviceId } = remembered;
    if (this.#services.get(serviceId) !== remembered) return; // forgotten meanwhile; whoever works with it still holds it
    this.#bytes += bytes;
    if (this.#bytes <= REMEMBERED_BYTES) return;
    this.#services.clear();
    this.#services.set(serviceId, remembered);
    this.#bytes = remembered.bytes;
  }

  async #readGeneration(serviceId: number): Promise<number> {
    const rows = (await this.table.query('SELECT label_generation AS generation FROM service WHERE id = $1', [serviceId])) as {
      generation: number;
    }[];
    return rows[0]?.generation ?? 0;
  }

  /** What is remembered, however old. */
  async #current(serviceId: number): Promise<Remembered> {
    return this.#services.get(serviceId) ?? this.#remembered(serviceId, await this.#readGeneration(serviceId));
  }

  #forgetService(serviceId: number): void {
    this.#bytes -= this.#services.get(serviceId)?.bytes ?? 0;
    this.#services.delete(serviceId);
  }

  #remembered(serviceId: number, generation: number): Remembered {
    let remembered = this.#services.get(serviceId);
    if (remembered === undefined) {
      remembered = {
        serviceId,
        generation,
        bytes: 0,
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

function keyed(labels: LabelSet): Keyed {
  return { labels, key: labelSetKey(labels) };
}

function goneMeanwhile(): never {
  throw new HearthError('CATALOG_GONE_BACK', 'labels of the request were deleted while it was read: send again', {
    status: 503,
    retryAfterSeconds: 1,
  });
}

function unknownOf({ idByKey }: Remembered, labelSets: readonly Keyed[]): Map<string, LabelSet> {
  return new Map(labelSets.filter(({ key }) => !idByKey.has(key)).map(({ key, labels }) => [key, labels]));
}

async function labelsByHash(unknown: ReadonlyMap<string, LabelSet>): Promise<Map<string, Keyed>> {
  const hashed = await inTurns(
    [...unknown],
    ([key]) => key.length,
    ([key, labels]): [string, Keyed] => [createHash('sha256').update(key).digest('hex'), { key, labels }],
  );
  return new Map(hashed);
}

function charactersOf(labels: LabelSet): number {
  return labels.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

function fits(unknown: ReadonlyMap<string, LabelSet>, { sets, characters }: Room): boolean {
  if (unknown.size > sets) return false;
  let length = 0;
  for (const key of unknown.keys()) length += key.length;
  return length <= characters;
}

function withShortTexts(labelSets: readonly LabelSet[], limits: ServiceLimits): readonly LabelSet[] {
  return labelSets.map((labels) => {
    if (charactersOf(labels) <= MAX_SET_CHARACTERS) return labels;
    limits.hit('LABEL_SETS_FOLDED', 'folded');
    const folded = withFoldedValues(labels);
    return charactersOf(folded) <= MAX_SET_CHARACTERS ? folded : withoutNames(labels);
  });
}

/** Still with the names, by which people group. */
function withFoldedValues(labels: LabelSet): LabelSet {
  return labels.map(([name]) => [name, OTHER]);
}

/** Samples of transactions stay so. */
function withoutNames(labels: LabelSet): LabelSet {
  return labels.some(([name]) => name === TRANSACTION_LABEL) ? [[TRANSACTION_LABEL, OTHER]] : [];
}
