import { Injectable } from '@nestjs/common';
import type { Label, TimeRange } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import type { Freshness } from '../../platform/database/index.js';
import type { TimePartitions } from '../../platform/database/partitions.js';
import type { NoteRemoved } from '../../platform/database/remove-rows.js';
import { decodeExemplarBody, type ExemplarBody } from './exemplar-body.js';
import {
  ExemplarRepository,
  groupOf,
  nameHash,
  type Exemplar,
  type ExemplarFilter,
  type ExemplarHead,
  type ExemplarKey,
  type LabelledExemplars,
  type KeptExemplar,
  type ReadExemplarHead,
} from './exemplar.repository.js';
import { Floors, groupText, SLOWEST_PER_HOUR, type Floor, type SlowestGroup } from './slowest.js';

/** The slowest transactions of each name, kept whole. They are copies: nothing is counted by them. */
@Injectable()
export class Exemplars {
  readonly #floors = new Floors();

  constructor(private readonly repository: ExemplarRepository) {}

  /** By day of the minute. */
  get partitions(): TimePartitions {
    return this.repository.partitions;
  }

  /** Whether one of this name may be among the slowest of its hour: false once so many slower ones are known. */
  mayBeSlowest(
    one: Pick<ExemplarHead, 'serviceId' | 'revisionId' | 'environmentId' | 'windowStartMs' | 'durationMicros'>,
    name: string,
  ): boolean {
    return this.#floors.isAbove(groupOf({ ...one, nameHash: nameHash(name) }), one.durationMicros);
  }

  /**
   * Adds within the caller's database transaction, into partitions that are there, what is among the slowest of its hour, and removes what is so no more.
   * Writers beside one another do not see what the others add: then a few more stay, until the next one of the group is added.
   *
   * @returns To `learn` once it has committed.
   */
  async add(client: ClientBase, exemplars: readonly Exemplar[]): Promise<Floor[]> {
    if (exemplars.length === 0) return [];
    const groups = new Map<string, { readonly group: SlowestGroup; readonly all: (Exemplar | KeptExemplar)[] }>();
    for (const one of exemplars) {
      const group = groupOf(one);
      const text = groupText(group);
      if (!groups.has(text)) groups.set(text, { group, all: [] });
      groups.get(text)!.all.push(one);
    }
    const kept = await this.repository.listKept(
      client,
      Array.from(groups.values(), ({ group }) => group),
    );
    for (const one of kept) groups.get(one.group)!.all.push(one);
    const [added, removed, floors]: [Exemplar[], KeptExemplar[], Floor[]] = [[], [], []];
    for (const { group, all } of groups.values()) {
      // Of two alike the one that is there stays.
      all.sort((a, b) => b.durationMicros - a.durationMicros || Number('body' in a) - Number('body' in b));
      all.forEach((one, place) => {
        if ('body' in one) {
          if (place < SLOWEST_PER_HOUR) added.push(one);
        } else if (place >= SLOWEST_PER_HOUR) removed.push(one);
      });
      const last = all[SLOWEST_PER_HOUR - 1];
      if (last !== undefined) floors.push({ group, durationMicros: last.durationMicros });
    }
    if (added.length > 0) await this.repository.add(client, added);
    if (removed.length > 0) await this.repository.remove(client, removed);
    return floors;
  }

  learn(floors: readonly Floor[]): void {
    this.#floors.learn(floors);
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#floors.forget();
  }

  /** Of one name, the slowest first. */
  async list(filter: ExemplarFilter, limit: number, freshness: Freshness = 'recent'): Promise<ReadExemplarHead[]> {
    return this.repository.list(filter, limit, freshness);
  }

  /** @returns `undefined`: there is none (any more). @throws {HearthError} `EXEMPLAR_DAMAGED` */
  async find(key: ExemplarKey): Promise<(ReadExemplarHead & ExemplarBody) | undefined> {
    const found = await this.repository.find(key);
    if (found === undefined) return undefined;
    const { body, ...head } = found;
    return { ...head, ...(await decodeExemplarBody(body)) };
  }

  /** Removes those of a service that were under way within a range. @param note - What went, in the database transaction in which it did */
  async removeRange(serviceId: number, range: TimeRange, note: NoteRemoved): Promise<void> {
    await this.repository.removeRange(serviceId, range, note);
  }

  /** Removes those of label sets or processes of a service, and those that say a label themselves. @param note - As above */
  async removeLabelled(serviceId: number, labelled: LabelledExemplars, note: NoteRemoved): Promise<void> {
    await this.repository.removeLabelled(serviceId, labelled, note);
  }

  /** Whether a label is said in the context of any of a service, or in the inputs of a span: it need be in no label set. */
  async areSaying(client: ClientBase, serviceId: number, label: Label): Promise<boolean> {
    return this.repository.areSaying(client, serviceId, label);
  }
}
