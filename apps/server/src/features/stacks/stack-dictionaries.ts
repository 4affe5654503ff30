import { assertStackTable, type FunctionTable, type StackTable } from '@hearth/profile-model';
import { StackDictionary, type StackTables } from './stack-dictionary.js';
import { StackOverlay } from './stack-overlay.js';
import { decodeStackPage, encodeStackPage } from './stack-page.js';
import type { StackRepository } from './stack.repository.js';

interface StackDictionaryOptions {
  /** Bytes that all dictionaries of this process may hold together. Default 512 MiB; the least recently used services are forgotten first. */
  readonly maxBytes?: number;
}
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

interface Interning {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly done: (ids: Int32Array) => void;
  readonly failed: (error: unknown) => void;
}

/** One service's dictionary and who waits for it. */
interface Owned {
  readonly dictionary: StackDictionary;
  /** Known to be complete up to some moment: false until the first load. */
  isLoaded: boolean;
  waiting: Interning[];
  /** Everything that makes the dictionary grow runs behind what came before. */
  tail: Promise<void>;
  /** Calls in progress: not to be evicted. */
  users: number;
}

/**
 * The stack dictionaries of this operating-system process, one owner for all its threads. Across processes a page at
 * a time is appended under the lock of the service's head (docs/storage.md has the protocol).
 */
export class StackDictionaries {
  readonly #repository: StackRepository;
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #owned = new Map<number, Owned>();

  constructor(repository: StackRepository, { maxBytes = DEFAULT_MAX_BYTES }: StackDictionaryOptions = {}) {
    this.#repository = repository;
    this.#maxBytes = maxBytes;
  }

  /**
   * The service's id of each local stack. New stacks are durable when this resolves; calls that come while a page is
   * being written share the next one.
   *
   * @returns Length `stacks.length`. Ids order differently than local rows: sort again where order matters.
   * @throws {ProfileError} if the tables are not sound
   * @throws {StackError} `STACK_DICTIONARY_FULL`
   */
  async intern(serviceId: number, functions: FunctionTable, stacks: StackTable): Promise<Int32Array> {
    assertStackTable(stacks, functions.length);
    return this.#use(serviceId, async (owned) => {
      if (owned.isLoaded) {
        const overlay = new StackOverlay(owned.dictionary);
        const ids = overlay.addAll(functions, stacks);
        if (!overlay.hasNew) return ids;
      }
      return new Promise<Int32Array>((done, failed) => {
        owned.waiting.push({ functions, stacks, done, failed });
        if (owned.waiting.length === 1) void this.#inTurn(owned, () => this.#commitWaiting(serviceId, owned));
      });
    });
  }

  /** All stacks that were committed when this was called, and perhaps more. Later calls do not change what is returned. */
  async snapshot(serviceId: number): Promise<StackTables> {
    return this.#use(serviceId, async (owned) => {
      const version = await this.#repository.version(serviceId);
      if (owned.dictionary.version < version) await this.#inTurn(owned, () => this.#pull(serviceId, owned));
      return owned.dictionary.tables();
    });
  }

  /** Rough memory use of everything held. */
  get bytes(): number {
    let bytes = 0;
    for (const owned of this.#owned.values()) bytes += owned.dictionary.bytes;
    return bytes;
  }

  async #commitWaiting(serviceId: number, owned: Owned): Promise<void> {
    if (!owned.isLoaded) {
      try {
        await this.#pull(serviceId, owned);
      } catch (error) {
        for (const one of owned.waiting.splice(0)) one.failed(error);
        return;
      }
    }
    const { dictionary } = owned;
    const requests = owned.waiting.splice(0);
    try {
      let overlay = new StackOverlay(dictionary);
      let ids = requests.map((one) => overlay.addAll(one.functions, one.stacks));
      if (overlay.hasNew) {
        await this.#repository.withLockedHead(serviceId, async (head) => {
          if (head.version !== dictionary.version) {
            // Others' pages are committed, whatever becomes of ours.
            for (const page of await head.pagesAbove(dictionary.version)) dictionary.append(decodeStackPage(page));
            const rebased = overlay.rebase();
            overlay = rebased.overlay;
            ids = ids.map((column) => column.map(rebased.rowOf));
          }
          if (overlay.hasNew) await head.addPage(dictionary.version + 1, encodeStackPage(overlay.page()));
        });
        // Only now: had the commit failed, the dictionary would hold rows that nobody else has.
        if (overlay.hasNew) dictionary.append(overlay.page());
      }
      requests.forEach((one, at) => one.done(ids[at]!));
    } catch (error) {
      for (const one of requests) one.failed(error);
    }
  }

  async #pull(serviceId: number, owned: Owned): Promise<void> {
    for (const page of await this.#repository.pagesAbove(serviceId, owned.dictionary.version))
      owned.dictionary.append(decodeStackPage(page));
    owned.isLoaded = true;
  }

  /** Behind what is under way; a failure is the caller's, not the next one's. */
  #inTurn(owned: Owned, work: () => Promise<void>): Promise<void> {
    const turn = owned.tail.then(work);
    owned.tail = turn.catch(() => undefined);
    return turn;
  }

  async #use<Result>(serviceId: number, work: (owned: Owned) => Promise<Result>): Promise<Result> {
    const owned = this.#owned.get(serviceId) ?? {
      dictionary: new StackDictionary(),
      isLoaded: false,
      waiting: [],
      tail: Promise.resolve(),
      users: 0,
    };
    this.#owned.delete(serviceId);
    this.#owned.set(serviceId, owned); // most recently used
    owned.users += 1;
    try {
      return await work(owned);
    } finally {
      owned.users -= 1;
      this.#evict();
    }
  }

  /** The one used last stays, however large: forgetting it would only load it again. */
  #evict(): void {
    let bytes = this.bytes;
    for (const [serviceId, owned] of this.#owned) {
      if (bytes <= this.#maxBytes || this.#owned.size === 1) return;
      if (owned.users > 0) continue;
      this.#owned.delete(serviceId);
      bytes -= owned.dictionary.bytes;
    }
  }
}
