/** Pieces that are told apart; older ones are one sum. */
const MAX_PIECES = 32;

/**
 * How long at least one of several waits lasted: what they explain of a transaction's duration, where their sum would count waits beside
 * each other twice. Waits are added as they end, so each ends no earlier than those before it.
 *
 *     added      [a  ]      then [b      ]    then [c ]        ended in this order
 *     time       0---1---2---3---4---5
 *     pieces     0---1      1.5------3         4---5           b began after a ended: three pieces
 *     d = 2-6 swallows what lies behind its start: 0-1 and 1.5-6
 *
 * Beyond 32 pieces the oldest are only known by their sum: a later wait that began among them is counted from their end, so the union is
 * never more than it was.
 */
export class WaitUnion {
  /** Start and end in turn, ascending, apart from each other. */
  readonly #pieces: number[] = [];
  #oldMs = 0;
  #oldFromMs = Number.POSITIVE_INFINITY;
  #oldUntilMs = Number.NEGATIVE_INFINITY;

  get totalMs(): number {
    let totalMs = this.#oldMs;
    for (let at = 0; at < this.#pieces.length; at += 2) totalMs += this.#pieces[at + 1]! - this.#pieces[at]!;
    return totalMs;
  }

  /** @param endMs - Not before the end of any wait added so far. */
  add(startMs: number, endMs: number): void {
    let fromMs = startMs;
    while (this.#pieces.length > 0 && this.#pieces.at(-1)! >= fromMs) {
      this.#pieces.pop();
      fromMs = Math.min(fromMs, this.#pieces.pop()!);
    }
    if (fromMs <= this.#oldFromMs) {
      this.#oldMs = 0; // all that was old lies within
      this.#oldFromMs = Number.POSITIVE_INFINITY;
      this.#oldUntilMs = Number.NEGATIVE_INFINITY;
    }
    this.#pieces.push(Math.max(fromMs, Math.min(this.#oldUntilMs, endMs)), endMs);
    if (this.#pieces.length > MAX_PIECES * 2) {
      const [oldestFromMs, oldestUntilMs] = this.#pieces.splice(0, 2) as [number, number];
      this.#oldMs += oldestUntilMs - oldestFromMs;
      this.#oldFromMs = Math.min(this.#oldFromMs, oldestFromMs);
      this.#oldUntilMs = oldestUntilMs;
    }
  }
}
