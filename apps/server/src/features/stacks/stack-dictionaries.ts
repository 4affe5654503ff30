import { assertStackTable, joinStacks, type FunctionTable, type StackTable } from '@hearth/profile-model';
import type { ClientBase } from 'pg';
import { epochOfPinned, type EpochKey, type StackHead, type UsedEpoch } from './epoch.js';
import { LoopTurns } from './loop-turns.js';
import { StackDictionary, type StackTables } from './stack-dictionary.js';
import { StackOverlay } from './stack-overlay.js';
import { StackError } from './stack-error.js';
import { decodeStackPage, encodeStackPage, MAX_PAGE_BYTES } from './stack-page.js';
import { assertIsState, isState, type PagesBehind, type StackRepository } from './stack.repository.js';

interface StackDictionaryOptions {
  /** Bytes that all dictionaries of this process may hold together. Default 512 MiB; the least recently used are forgotten first. */
  readonly maxBytes?: number;
  /** Bytes of one page, inflated. Default 256 MiB; what does not fit is refused before it is committed. */
  readonly maxPageBytes?: number;
}
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;
/** Of storing in an epoch that is dropped again and again. */
const MAX_ATTEMPTS = 5;

/** Stacks of one dictionary by their ids. */
export interface InternedStacks {
  /** Id of each local stack. They order differently than local rows: sort again where order matters. */
  readonly ids: Int32Array;
  /** To be held by whoever stores the ids (`holdEpochs`); `undefined`: there are no stacks. */
  readonly usedEpoch: UsedEpoch | undefined;
}

interface Interning {
  readonly functions: FunctionTable;
  readonly stacks: StackTable;
  readonly done: (interned: InternedStacks) => void;
  readonly failed: (error: unknown) => void;
}

/** One dictionary and who waits for it. */
interface Owned {
  readonly key: EpochKey;
  /** Another one when the epoch was dropped or the database has gone back (a restored backup). */
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
 * The stack dictionaries of this operating-system process, one owner for all its threads: one for each service and epoch. Across
 * processes a page at a time is appended under the lock of the dictionary's head (docs/storage.md has the protocol).
 */
export class StackDictionaries {
  readonly #repository: StackRepository;
  readonly #maxBytes: number;
  readonly #maxPageBytes: number;
  /** Least recently used first. */
  readonly #owned = new Map<string, Owned>();

  constructor(
    repository: StackRepository,
    { maxBytes = DEFAULT_MAX_BYTES, maxPageBytes = MAX_PAGE_BYTES }: StackDictionaryOptions = {},
  ) {
    this.#repository = repository;
    this.#maxBytes = maxBytes;
    this.#maxPageBytes = maxPageBytes;
  }

  /**
   * Ids of local stacks, for `store` to store in one database transaction with `holdEpochs`. Where the epoch is dropped in between, both begin again.
   *
   * @throws What `intern` and `store` throw.
   */
  async storeWithIds<Result>(
    key: EpochKey,
    functions: FunctionTable,
    stacks: StackTable,
    store: (interned: InternedStacks) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const interned = await this.intern(key, functions, stacks);
      try {
        return await store(interned);
      } catch (error) {
        if (!(error instanceof StackError && error.code === 'STACK_EPOCH_GONE') || attempt === MAX_ATTEMPTS) throw error;
        // Unless somebody else has seen to it already.
        if (this.#owned.get(keyText(key))?.dictionary.head?.generation === interned.usedEpoch?.generation)
          this.#owned.delete(keyText(key));
      }
    }
  }

  /**
   * The dictionary's id of each local stack. New stacks are durable when this resolves; calls that come while a page is
   * being written share the next one.
   *
   * @throws {ProfileError} if the tables are not sound
   * @throws {StackError} `STACK_DICTIONARY_FULL`
   */
  async intern(key: EpochKey, functions: FunctionTable, stacks: StackTable): Promise<InternedStacks> {
    assertStackTable(stacks, functions.length);
    if (stacks.length === 0) return { ids: new Int32Array(), usedEpoch: undefined };
    return this.#use(key, async (owned) => {
      const { dictionary } = owned;
      const known = owned.isLoaded ? await dictionary.rowsOf(functions, stacks) : undefined;
      if (known !== undefined) return interned(key, dictionary, known);
      return new Promise<InternedStacks>((done, failed) => {
        owned.waiting.push({ functions, stacks, done, failed });
        if (owned.waiting.length === 1) void this.#inTurn(owned, () => this.#commitWaiting(owned));
      });
    });
  }

  /**
   * All stacks that were committed when this was called, and perhaps more. Later calls do not change what is returned.
   *
   * @param atLeast The state that is needed, as read with the data that names the stacks; without one the newest, for which the database is asked.
   * @throws {StackError} `STACK_EPOCH_GONE`: the epoch was dropped since, and with it the data
   */
  async snapshot(key: EpochKey, atLeast?: StackHead): Promise<StackTables> {
    return this.#use(key, async (owned) => {
      const known = owned.dictionary.head;
      // One that is ahead of what was read is asked about: the database may have gone back.
      const isBehind = known?.generation === atLeast?.generation && (known?.version ?? 0) <= (atLeast?.version ?? 0);
      const stored = atLeast !== undefined && isBehind ? atLeast : await this.#repository.head(key);
      if (known?.generation !== stored?.generation || known?.version !== stored?.version)
        await this.#inTurn(owned, () => this.#pull(owned));
      if (atLeast !== undefined) assertIsState(owned.dictionary.head, { ...key, ...atLeast });
      return owned.dictionary.tables();
    });
  }

  /**
   * The same stacks in the dictionary of a pinned revision, which stays when the month is dropped. What is not there yet is copied.
   *
   * @param from State that the ids were read with.
   * @param stackIds Any of its ids, in any order.
   * @param store As that of `storeWithIds`; `ids`: for each of `stackIds`, its id in the other epoch.
   * @throws {StackError} `STACK_EPOCH_GONE`: too late
   */
  async pin<Result>(
    from: UsedEpoch,
    revisionId: number,
    stackIds: Int32Array,
    store: (pinned: InternedStacks) => Promise<Result>,
  ): Promise<Result> {
    const { functions, stacks } = await this.snapshot(from, from);
    const isWanted = new Uint8Array(stacks.length);
    for (const id of stackIds) isWanted[id] = 1;
    const own = joinStacks([{ stacks, functionRow: Uint32Array.from({ length: functions.length }, (_, row) => row), isWanted }]);
    const key = { serviceId: from.serviceId, epoch: epochOfPinned(revisionId) };
    return this.storeWithIds(key, functions, own.stacks, async ({ ids, usedEpoch }) =>
      store({ ids: stackIds.map((id) => ids[own.rowOf[0]![id]!]!), usedEpoch }),
    );
  }

  /** What the copies of pinned revisions of these services take in the database. */
  async bytesOfPinned(serviceIds: readonly number[]): Promise<number> {
    return this.#repository.bytesOfPinned(serviceIds);
  }

  /** Everything that is stored, of all services. */
  async listEpochs(): Promise<EpochKey[]> {
    return this.#repository.listEpochs();
  }

  /**
   * Drops an epoch, unless something needs it. Safe at any moment: whoever stores ids of it meanwhile is waited for and seen by `isNeeded`, or
   * finds the epoch gone and begins again.
   *
   * @param isNeeded Whether anything stored names stacks of the epoch; to be asked on this client.
   * @returns Whether it was dropped.
   */
  async drop(key: EpochKey, isNeeded: (client: ClientBase) => Promise<boolean>): Promise<boolean> {
    const isDropped = await this.#repository.drop(key, isNeeded);
    if (isDropped) this.#owned.delete(keyText(key));
    return isDropped;
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

  async #commitWaiting(owned: Owned): Promise<void> {
    if (!owned.isLoaded) {
      try {
        await this.#pull(owned);
      } catch (error) {
        for (const one of owned.waiting.splice(0)) one.failed(error);
        return;
      }
    }
    await this.#commit(owned, owned.waiting.splice(0));
  }

  /** Settles all requests. */
  async #commit(owned: Owned, requests: readonly Interning[]): Promise<void> {
    try {
      let overlay = new StackOverlay(owned.dictionary);
      const addRequests = async () => {
        const columns: Int32Array[] = [];
        for (const one of requests) columns.push(await overlay.addAll(one.functions, one.stacks));
        return columns;
      };
      let ids = await addRequests();
      if (overlay.hasNew) {
        await this.#repository.withLockedHead(owned.key, async (locked) => {
          const { head } = locked;
          const before = owned.dictionary;
          if (before.head?.generation !== head.generation || before.version !== head.version) {
            // Others' pages are committed, whatever becomes of ours.
            await catchUp(owned, (known) => locked.pagesBehind(known));
            if (owned.dictionary === before) {
              const rebased = overlay.rebase();
              overlay = rebased.overlay;
              ids = ids.map((column) => column.map(rebased.rowOf));
            } else {
              overlay = new StackOverlay(owned.dictionary);
              ids = await addRequests();
            }
          }
          if (!overlay.hasNew) return;
          owned.dictionary.assertHasRoom(overlay.functionCount, overlay.stackCount);
          for (const [at, page] of overlay.pages().entries())
            await locked.addPage(owned.dictionary.version + 1 + at, encodeStackPage(page, this.#maxPageBytes));
        });
        // Only now: had the commit failed, the dictionary would hold rows that nobody else has.
        const turns = new LoopTurns();
        for (const page of overlay.pages()) {
          owned.dictionary.append(page);
          await turns.rest();
        }
      }
      requests.forEach((one, at) => {
        one.done(interned(owned.key, owned.dictionary, ids[at]!));
      });
    } catch (error) {
      // Nothing was committed. One by one, only those fail whose stacks do not fit.
      if (requests.length > 1 && error instanceof StackError && error.code === 'STACK_DICTIONARY_FULL')
        for (const one of requests) await this.#commit(owned, [one]);
      else for (const one of requests) one.failed(error);
    }
  }

  async #pull(owned: Owned): Promise<void> {
    await catchUp(owned, (known) => this.#repository.pagesBehind(owned.key, known));
    owned.isLoaded = true;
  }

  /** Behind what is under way; a failure is the caller's, not the next one's. */
  #inTurn(owned: Owned, work: () => Promise<void>): Promise<void> {
    const turn = owned.tail.then(work);
    owned.tail = turn.catch(() => undefined);
    return turn;
  }

  async #use<Result>(key: EpochKey, work: (owned: Owned) => Promise<Result>): Promise<Result> {
    const text = keyText(key);
    const owned = this.#owned.get(text) ?? {
      key,
      dictionary: new StackDictionary(),
      isLoaded: false,
      waiting: [],
      tail: Promise.resolve(),
      users: 0,
    };
    this.#owned.delete(text);
    this.#owned.set(text, owned); // most recently used
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
    for (const [text, owned] of this.#owned) {
      if (bytes <= this.#maxBytes || this.#owned.size === 1) return;
      if (owned.users > 0) continue;
      this.#owned.delete(text);
      bytes -= owned.dictionary.bytes;
    }
  }
}

/** Appends the pages that were committed meanwhile; begins with a new dictionary where the old one is no earlier state of what is stored. */
async function catchUp(owned: Owned, pagesBehind: (known: StackHead | undefined) => Promise<PagesBehind>): Promise<void> {
  const turns = new LoopTurns();
  for (;;) {
    const { head, pages } = await pagesBehind(owned.dictionary.head);
    if (!isState(head, owned.dictionary.head) || owned.dictionary.head === undefined)
      owned.dictionary = new StackDictionary(head?.generation);
    for (const page of pages) {
      owned.dictionary.append(decodeStackPage(page));
      await turns.rest();
    }
    if (owned.dictionary.version === (head?.version ?? 0)) return;
    // What a head counts is there: no page at all would be asked for again and again.
    if (pages.length === 0)
      throw new StackError('STACK_PAGE_ORDER', `page ${owned.dictionary.version + 1} of ${head?.version} is missing`);
  }
}

/** @param dictionary It holds the ids: they came with pages, and pages have a head. */
function interned(key: EpochKey, dictionary: StackDictionary, ids: Int32Array): InternedStacks {
  return { ids, usedEpoch: { ...key, ...dictionary.head! } };
}

function keyText({ serviceId, epoch }: EpochKey): string {
  return `${serviceId}.${epoch}`;
}
