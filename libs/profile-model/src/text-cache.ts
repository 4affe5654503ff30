/** Texts that are longer are seldom met twice. */
const MAX_CACHED_BYTES = 256;
const MAX_TEXTS = 2 ** 16;
const MAX_ARENA_BYTES = 4 * 2 ** 20;
const SLOTS = MAX_TEXTS * 2;
/** A text that finds so many others in its way is not kept: whoever makes texts that collide only loses the cache. */
const MAX_PROBES = 16;

/**
 * Texts by their bytes. Every process sends the names of the same few hundred functions every ten seconds: to find one here costs a third of making it,
 * and it is the same string each time, whose hash is known already. Bounded; when it is full it begins anew.
 */
export class TextCache {
  /** Where the bytes of each text begin, and how many they are. */
  readonly #start = new Uint32Array(MAX_TEXTS);
  readonly #length = new Uint16Array(MAX_TEXTS);
  readonly #hash = new Int32Array(MAX_TEXTS);
  /** Row + 1 of the text that hashes here, 0 is empty. */
  readonly #slots = new Int32Array(SLOTS);
  readonly #texts: string[] = [];
  #arena = new Uint8Array(64 * 1024);
  #arenaLength = 0;
  readonly #seed = (Math.random() * 2 ** 32) | 0;

  /** The text of the bytes [from, until) of `source`, made by `decode` if it is not known. */
  text(source: Uint8Array, from: number, until: number, decode: (bytes: Uint8Array) => string): string {
    const length = until - from;
    if (length > MAX_CACHED_BYTES) return decode(source.subarray(from, until));
    let hash = this.#seed ^ length;
    for (let at = from; at < until; at += 1) hash = Math.imul(hash ^ source[at]!, 0x5bd1e995) ^ (hash >>> 15);
    let slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    for (let probes = 0; probes < MAX_PROBES; probes += 1) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return this.#add(slot, hash, source.subarray(from, until), decode);
      if (this.#hash[row] === hash && this.#isAt(row, source, from, length)) return this.#texts[row]!;
      slot = (slot + 1) & (SLOTS - 1);
    }
    return decode(source.subarray(from, until));
  }

  #isAt(row: number, source: Uint8Array, from: number, length: number): boolean {
    if (this.#length[row] !== length) return false;
    const start = this.#start[row]!;
    for (let at = 0; at < length; at += 1) if (this.#arena[start + at] !== source[from + at]) return false;
    return true;
  }

  #add(slot: number, hash: number, bytes: Uint8Array, decode: (bytes: Uint8Array) => string): string {
    const text = decode(bytes);
    if (this.#texts.length === MAX_TEXTS || this.#arenaLength + bytes.length > MAX_ARENA_BYTES) {
      this.#slots.fill(0);
      this.#texts.length = 0;
      this.#arenaLength = 0;
    }
    if (this.#arenaLength + bytes.length > this.#arena.length) {
      const larger = new Uint8Array(Math.min(MAX_ARENA_BYTES, this.#arena.length * 2));
      larger.set(this.#arena.subarray(0, this.#arenaLength));
      this.#arena = larger;
    }
    const row = this.#texts.push(text) - 1;
    this.#arena.set(bytes, this.#arenaLength);
    this.#start[row] = this.#arenaLength;
    this.#length[row] = bytes.length;
    this.#hash[row] = hash;
    this.#arenaLength += bytes.length;
    this.#slots[slot] = row + 1;
    return text;
  }
}
