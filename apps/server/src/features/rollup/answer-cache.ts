import { createHash } from 'node:crypto';
import type { DurationMs, FunctionTable, StackTable } from '@hearth/profile-model';

/** A page that is looked at asks the same again within minutes. It also bounds how long an answer outlives what it was made of. */
const LIFE_MS: DurationMs = 5 * 60_000;

/** What an entry takes beside its answer: the hash of its question, and places in maps. */
const ENTRY_BYTES = 1024;
/** Of a table that dictionaries share their texts with: three references. */
const FUNCTION_BYTES = 24;

interface Entry {
  readonly answer: unknown;
  readonly bytes: number;
  readonly untilMs: number;
}

/** What an answer holds in memory while it is kept. */
export interface KeptColumns {
  readonly self: Float64Array;
  readonly functions: Pick<FunctionTable, 'length'>;
  /** Of an answer over several dictionaries; `undefined`: the stacks are those of its dictionary. */
  readonly joined: Pick<StackTable, 'parent' | 'functionRow'> | undefined;
}

/** A dictionary makes a new function table when it grows: then the answer is the last to hold the old one. */
export function keptBytes({ self, functions, joined }: KeptColumns): number {
  const ofStacks = joined === undefined ? 0 : joined.parent.byteLength + joined.functionRow.byteLength;
  return self.byteLength + ofStacks + functions.length * FUNCTION_BYTES;
}

/** Answers by their question, at most `maxBytes` of them (0: none); what was not asked for longest goes first. */
export class AnswerCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param question Names the type of its answer too. */
  get<Answer>(question: string, nowMs: number): Answer | undefined {
    const key = keyOf(question);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#delete(key, entry);
    if (entry.untilMs <= nowMs) return undefined;
    this.#add(key, entry);
    return entry.answer as Answer;
  }

  /** @param answerBytes What the answer holds, as `keptBytes` tells it. */
  set(question: string, answer: unknown, answerBytes: number, nowMs: number): void {
    const bytes = answerBytes + ENTRY_BYTES;
    const key = keyOf(question);
    const before = this.#entries.get(key);
    if (before !== undefined) this.#delete(key, before);
    if (bytes > this.#maxBytes) return;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes && entry.untilMs > nowMs) break;
      this.#delete(oldest, entry);
    }
    this.#add(key, { answer, bytes, untilMs: nowMs + LIFE_MS });
  }

  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** A question may name thousands of label sets. */
function keyOf(question: string): string {
  return createHash('sha256').update(question).digest('base64url');
}
