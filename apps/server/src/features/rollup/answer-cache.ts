import type { DurationMs } from '@hearth/profile-model';

/** A page that is looked at asks the same again within minutes. It also bounds how long an answer outlives what it was made of. */
const LIFE_MS: DurationMs = 5 * 60_000;

/** What an entry takes beside its answer's columns. */
const ENTRY_BYTES = 1024;

interface Entry {
  readonly answer: unknown;
  readonly bytes: number;
  readonly untilMs: number;
}

/** Answers by the text of their question, at most `maxBytes` of them (0: none); what was not asked for longest goes first. */
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
    const entry = this.#entries.get(question);
    if (entry === undefined) return undefined;
    this.#delete(question, entry);
    if (entry.untilMs <= nowMs) return undefined;
    this.#add(question, entry);
    return entry.answer as Answer;
  }

  /** @param columnBytes Of the answer's columns. */
  set(question: string, answer: unknown, columnBytes: number, nowMs: number): void {
    const bytes = columnBytes + ENTRY_BYTES;
    const before = this.#entries.get(question);
    if (before !== undefined) this.#delete(question, before);
    if (bytes > this.#maxBytes) return;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes && entry.untilMs > nowMs) break;
      this.#delete(oldest, entry);
    }
    this.#add(question, { answer, bytes, untilMs: nowMs + LIFE_MS });
  }

  #add(question: string, entry: Entry): void {
    this.#entries.set(question, entry);
    this.#bytes += entry.bytes;
  }

  #delete(question: string, entry: Entry): void {
    this.#entries.delete(question);
    this.#bytes -= entry.bytes;
  }
}
