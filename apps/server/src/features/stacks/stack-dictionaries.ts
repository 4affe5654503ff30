import { assertStackTable, type FunctionTable, type StackTable } from '@hearth/profile-model';
import { StackDictionary, type StackTables } from './stack-dictionary.js';
import { StackOverlay } from './stack-overlay.js';
import { StackError } from './stack-error.js';
import { decodeStackPage, encodeStackPage, MAX_PAGE_BYTES } from './stack-page.js';
import type { StackRepository } from './stack.repository.js';

interface StackDictionaryOptions {
  /** Bytes that all dictionaries of this process may hold together. Default 512 MiB; the least recently used services are forgotten first. */
  readonly maxBytes?: number;
  /** Bytes of one page, inflated. Default 256 MiB; what does not fit is refused before it is committed. */
  readonly maxPageBytes?: number;
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
  /** Another one when the database has gone back (a restored backup). */
  dictionary: StackDictionary;
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
  readonly #maxPageBytes: number;
  /** Least recently used first. */
  readonly #owned = new Map<number, Owned>();

  constructor(
    repository: StackRepository,
    { maxBytes = DEFAULT_MAX_BYTES, maxPageBytes = MAX_PAGE_BYTES }: StackDictionaryOptions = {},
  ) {
    this.#repository = repository;
    this.#maxBytes = maxBytes;
    this.#maxPageBytes = maxPageBytes;
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
      else if (owned.dictionary.version > version) await this.#inTurn(owned, () => this.#loadAgainIfBehind(serviceId, owned));
      return owned.dictionary.tables();
    });
  }

  /** Nothing is known any more: the database is not what it was. Calls in progress end with what they have. */
  forget(): void {
    this.#owned.clear();
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
    await this.#commit(serviceId, owned, owned.waiting.splice(0));
  }

  /** Settles all requests. */
  async #commit(serviceId: number, owned: Owned, requests: readonly Interning[]): Promise<void> {
    try {
      let overlay = new StackOverlay(owned.dictionary);
      const addRequests = () => requests.map((one) => overlay.addAll(one.functions, one.stacks));
      let ids = addRequests();
      if (overlay.hasNew) {
        await this.#repository.withLockedHead(serviceId, async (head) => {
          if (head.version < owned.dictionary.version) {
            owned.dictionary = new StackDictionary();
            appendPages(owned.dictionary, await head.pagesAbove(0));
            overlay = new StackOverlay(owned.dictionary);
            ids = addRequests();
          } else if (head.version > owned.dictionary.version) {
            // Others' pages are committed, whatever becomes of ours.
            appendPages(owned.dictionary, await head.pagesAbove(owned.dictionary.version));
            const rebased = overlay.rebase();
            overlay = rebased.overlay;
            ids = ids.map((column) => column.map(rebased.rowOf));
          }
          if (!overlay.hasNew) return;
          const page = overlay.page();
          owned.dictionary.assertContinues(page);
          await head.addPage(owned.dictionary.version + 1, encodeStackPage(page, this.#maxPageBytes));
        });
        // Only now: had the commit failed, the dictionary would hold rows that nobody else has.
        if (overlay.hasNew) owned.dictionary.append(overlay.page());
      }
      requests.forEach((one, at) => one.done(ids[at]!));
    } catch (error) {
      // Nothing was committed. One by one, only those fail whose stacks do not fit.
      if (requests.length > 1 && error instanceof StackError && error.code === 'STACK_DICTIONARY_FULL')
        for (const one of requests) await this.#commit(serviceId, owned, [one]);
      else for (const one of requests) one.failed(error);
    }
  }

  async #pull(serviceId: number, owned: Owned): Promise<void> {
    appendPages(owned.dictionary, await this.#repository.pagesAbove(serviceId, owned.dictionary.version));
    owned.isLoaded = true;
  }

  /** The database was restored to a state before this dictionary's: its rows mean nothing any more. In turn, so that no page is being written. */
  async #loadAgainIfBehind(serviceId: number, owned: Owned): Promise<void> {
    if (owned.dictionary.version <= (await this.#repository.version(serviceId))) return;
    owned.dictionary = new StackDictionary();
    await this.#pull(serviceId, owned);
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

function appendPages(dictionary: StackDictionary, pages: readonly Uint8Array[]): void {
  for (const page of pages) dictionary.append(decodeStackPage(page));
}
