import { setImmediate } from 'node:timers/promises';

/** About a millisecond of work. */
const TURN_CHARACTERS = 2 ** 18;

/**
 * `work` of each, in their order. Others have their turn in between where it is about many characters: thousands of texts of kilobytes would otherwise hold up
 * the event loop.
 */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  charactersOf: (item: Item) => number,
  work: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let characters = 0;
  for (const item of items) {
    characters += charactersOf(item);
    if (characters > TURN_CHARACTERS) {
      await setImmediate();
      characters = 0;
    }
    results.push(work(item));
  }
  return results;
}
