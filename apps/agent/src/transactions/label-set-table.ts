import { TRANSACTION_LABEL, labelSet, labelSetKey, type Label, type LabelSet, type LabelSetIndex } from '@hearth/profile-model';
import { MAX_LABELS } from './label-limits.js';

/** Label sets of one process and period. */
export const MAX_LABEL_SETS = 256;
/** Of these, rows that only folded sets may take, so that a transaction keeps its name when its labels are too many. */
const ROWS_FOR_FOLDED = 64;
/** Different values of one label in one process and period. */
export const MAX_VALUES_PER_LABEL = 100;
/** What stands for a value that was one too many. */
export const FOLDED = '__other__';
/** Different names of labels in one process and period. */
const MAX_LABEL_NAMES = 256;
/** Label sets that are remembered as they were given: the same labels may come in another order, or be more than are kept. */
const MAX_GIVEN = 2 * MAX_LABEL_SETS;
const NO_LABELS: readonly Label[] = [];
const OTHER: LabelSet = [[TRANSACTION_LABEL, FOLDED]];

/** By a name, and then by labels and values in turns. One text of all of them would be hashed for each transaction, which takes longer than these lookups. */
interface Given {
  /** `undefined`: only more labels lead to one. */
  row: LabelSetIndex | undefined;
  readonly next: Map<string, Given>;
}

function newGiven(): Given {
  return { row: undefined, next: new Map() };
}

/**
 * The label sets of one period, each once. Folds what is too much, here and nowhere else, and counts it:
 * a label's 101st value becomes `__other__`; after 192 sets the labels of a new one become `__other__`; at the end its name does too.
 */
export class LabelSetTable {
  readonly #sets: LabelSet[] = [];
  readonly #rowOf = new Map<string, LabelSetIndex>();
  /** A short way by name and labels as they are given: no set is made to find out that it is known. Only where nothing was folded: what is folded is counted each time. */
  readonly #given = newGiven();
  /** The same for labels that are added to the set of a row. */
  readonly #givenBehind = new Map<LabelSetIndex, Given>();
  #givenCount = 0;
  /** By the set itself: those that are asked for again were mostly given out here. */
  readonly #rowOfSame = new Map<LabelSet, LabelSetIndex>();
  readonly #valuesOf = new Map<string, Set<string>>();
  /** Sets that could not be kept as they were, each time one was asked for. */
  foldedCount = 0;
  readonly #labels: 'kept' | 'dropped';

  /** @param labels - `dropped`: those of transactions and spans are, and counted as folded. */
  constructor(labels: 'kept' | 'dropped' = 'kept') {
    this.#labels = labels;
  }

  get labelSets(): readonly LabelSet[] {
    return this.#sets;
  }

  /** The row of a set that was sent before, or of one that needs no folding, as the empty set. `__other__` where the table is full, which is counted. */
  rowOfSent(set: LabelSet): LabelSetIndex {
    const same = this.#rowOfSame.get(set);
    if (same !== undefined) return same;
    const row = this.#rowOrOther(set);
    if (labelSetKey(this.#sets[row]!) !== labelSetKey(set)) this.foldedCount += 1;
    return row;
  }

  /** @param name - The transaction's. Its label wins over one of the host with the same name. */
  rowOfTransaction(name: string, labels: Iterable<Label> | undefined): LabelSetIndex {
    if (labels !== undefined && this.#labels === 'dropped') {
      this.foldedCount += 1;
      return this.rowOfTransaction(name, undefined);
    }
    const given = rowBehind(this.#given.next.get(name), labels ?? NO_LABELS);
    if (given !== undefined) return given;
    const foldedBefore = this.foldedCount;
    const row = this.#rowOfLabelled(name, labels ?? NO_LABELS);
    const isAsGiven = this.foldedCount === foldedBefore && this.#sets[row] !== OTHER;
    if (isAsGiven) this.#rememberGiven(this.#given, [name, ...[...(labels ?? NO_LABELS)].flat()], row);
    return row;
  }

  #rememberGiven(root: Given, texts: readonly string[], row: LabelSetIndex): void {
    if (this.#givenCount >= MAX_GIVEN) return;
    let given = root;
    for (const text of texts) {
      let next = given.next.get(text);
      if (next === undefined) given.next.set(text, (next = newGiven()));
      given = next;
    }
    given.row = row;
    this.#givenCount += 1;
  }

  #rowOfLabelled(name: string, labels: Iterable<Label>): LabelSetIndex {
    const limited: Label[] = [];
    let isFolded = false;
    for (const label of labels) {
      if (label[0] === TRANSACTION_LABEL || limited.length === MAX_LABELS) continue;
      const value = this.#limitValue(label);
      isFolded ||= value !== label[1];
      if (value !== undefined) limited.push([label[0], value]);
    }
    const set = labelSet([...limited, [TRANSACTION_LABEL, name]]);
    const row = this.#rowOf.get(labelSetKey(set));
    const isRoom = row !== undefined || this.#sets.length < MAX_LABEL_SETS - ROWS_FOR_FOLDED;
    const kept = isRoom
      ? (row ?? this.#push(set))
      : this.#rowOrOther(labelSet([...limited.map(([label]): Label => [label, FOLDED]), [TRANSACTION_LABEL, name]]));
    if (isFolded || (!isRoom && (limited.length > 0 || this.#sets[kept] === OTHER))) this.foldedCount += 1;
    return kept;
  }

  /** The row of the same set with these labels more, which win over its own; the same row where the table has no room for another. */
  rowWithLabels(row: LabelSetIndex, labels: readonly Label[]): LabelSetIndex {
    if (this.#labels === 'dropped') {
      this.foldedCount += 1;
      return row;
    }
    let behind = this.#givenBehind.get(row);
    const given = rowBehind(behind, labels);
    if (given !== undefined) return given;
    const limited = new Map(this.#sets[row]);
    for (const label of labels) {
      if (label[0] === TRANSACTION_LABEL || (limited.size >= MAX_LABELS && !limited.has(label[0]))) continue;
      const value = this.#limitValue(label);
      if (value !== undefined) limited.set(label[0], value);
    }
    const set = labelSet([...limited]);
    const known = this.#rowOf.get(labelSetKey(set));
    if (known === undefined && this.#sets.length >= MAX_LABEL_SETS - ROWS_FOR_FOLDED) {
      this.foldedCount += 1;
      return row;
    }
    const kept = known ?? this.#push(set);
    if (behind === undefined) this.#givenBehind.set(row, (behind = newGiven()));
    this.#rememberGiven(behind, labels.flat(), kept);
    return kept;
  }

  /** The value, `__other__`, or `undefined` for a label whose very name is one too many. */
  #limitValue([name, value]: Label): string | undefined {
    let values = this.#valuesOf.get(name);
    if (values === undefined) {
      if (this.#valuesOf.size >= MAX_LABEL_NAMES) return undefined;
      this.#valuesOf.set(name, (values = new Set()));
    }
    if (!values.has(value)) {
      if (values.size >= MAX_VALUES_PER_LABEL) return FOLDED;
      values.add(value);
    }
    return value;
  }

  #rowOrOther(set: LabelSet): LabelSetIndex {
    return this.#rowOf.get(labelSetKey(set)) ?? this.#push(this.#hasRoomFor(set) ? set : OTHER);
  }

  /** The last two rows are for `__other__` and for no labels at all. */
  #hasRoomFor(set: LabelSet): boolean {
    return set.length === 0 || set === OTHER || this.#sets.length < MAX_LABEL_SETS - 2;
  }

  #push(set: LabelSet): LabelSetIndex {
    const key = labelSetKey(set);
    let row = this.#rowOf.get(key);
    if (row === undefined) {
      row = this.#sets.push(set) - 1;
      this.#rowOf.set(key, row);
      this.#rowOfSame.set(set, row);
    }
    return row;
  }
}

function rowBehind(given: Given | undefined, labels: Iterable<Label>): LabelSetIndex | undefined {
  for (const [label, value] of labels) given = given?.next.get(label)?.next.get(value);
  return given?.row;
}
