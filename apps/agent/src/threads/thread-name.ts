import { shortText } from '../transactions/label-limits.js';

/** The name of a thread that was given none. */
export const UNNAMED_THREAD = 'worker';
/** Characters of a name; a longer one is no kind of thread. */
const MAX_NAME_LENGTH = 60;
/** Different names in one process; whatever comes after is `worker`. */
const MAX_NAMES = 20;

/**
 * What kind of thread it is: the name that its maker gave it (Node 22.20, 24.6 and later tell it), without numbers, because threads are
 * numbered by those who make many of them.
 */
export function kindOfThread(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '' || name === 'WorkerThread') return UNNAMED_THREAD;
  return shortText(name.trim().replaceAll(/[0-9a-f]{8}(?:-?[0-9a-f]+)*|\d+/gi, '*'), MAX_NAME_LENGTH);
}

/** Keeps the number of names in one process low. */
export class ThreadNames {
  readonly #known = new Set<string>([UNNAMED_THREAD]);

  limit(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size > MAX_NAMES) return UNNAMED_THREAD;
    this.#known.add(name);
    return name;
  }
}
