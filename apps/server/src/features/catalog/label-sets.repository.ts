import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { labelSetKey, type LabelSet } from '@hearth/profile-model';
import { Repository } from 'typeorm';
import { LabelSetEntity } from './label-set.entity.js';

/** Ids are drawn before their rows are committed, so a smaller one may appear later. No insert takes this long. */
const SETTLED_MS = 60_000;
/** What is remembered of all services together; then everything is read again. */
const REMEMBERED_SETS = 500_000;

interface Remembered {
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
   * Ids of the label sets, made where they are new. Committed when this resolves.
   *
   * @returns Length `labelSets.length`, in their order.
   */
  async intern(serviceId: number, labelSets: readonly LabelSet[]): Promise<number[]> {
    const remembered = this.#remembered(serviceId);
    const keys = labelSets.map(labelSetKey);
    const unknown = new Map<string, LabelSet>();
    keys.forEach((key, row) => {
      if (!remembered.idByKey.has(key)) unknown.set(key, labelSets[row]!);
    });
    if (unknown.size > 0) await this.#insert(serviceId, remembered, unknown);
    return keys.map((key) => remembered.idByKey.get(key)!);
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#services.clear();
    this.#size = 0;
  }

  async #insert(serviceId: number, remembered: Remembered, unknown: ReadonlyMap<string, LabelSet>): Promise<void> {
    const byHash = new Map(
      [...unknown].map(([key, labels]) => [createHash('sha256').update(key).digest('hex'), { key, labels }]),
    );
    // In one order everywhere: two servers that insert the same sets would otherwise wait for each other.
    const hashes = [...byHash.keys()].sort();
    const parameters = [
      serviceId,
      hashes.map((hash) => Buffer.from(hash, 'hex')),
      hashes.map((hash) => JSON.stringify(byHash.get(hash)!.labels)),
    ];
    await this.table.query(
      `INSERT INTO label_set (service_id, hash, labels)
       SELECT $1, hash, labels::jsonb FROM unnest($2::bytea[], $3::text[]) AS given (hash, labels) ORDER BY hash
       ON CONFLICT (service_id, hash) DO NOTHING`,
      parameters,
    );
    // A second statement, so that it sees what another server committed meanwhile.
    const rows = (await this.table.query(
      'SELECT id, hash FROM label_set WHERE service_id = $1 AND hash = ANY ($2::bytea[])',
      parameters.slice(0, 2),
    )) as { id: number; hash: Buffer }[];
    for (const { id, hash } of rows) this.#remember(remembered, id, byHash.get(hash.toString('hex'))!.labels);
  }

  #remember(remembered: Remembered, id: number, labels: LabelSet): void {
    if (remembered.byId.has(id)) return;
    remembered.byId.set(id, labels);
    remembered.idByKey.set(labelSetKey(labels), id);
    this.#size += 1;
  }

  #remembered(serviceId: number): Remembered {
    let remembered = this.#services.get(serviceId);
    if (remembered === undefined) {
      // Whoever works with a forgotten map still holds it.
      if (this.#size > REMEMBERED_SETS) {
        this.#services.clear();
        this.#size = 0;
      }
      remembered = { byId: new Map(), idByKey: new Map(), settledId: 0, settling: undefined };
      this.#services.set(serviceId, remembered);
    }
    return remembered;
  }
}
