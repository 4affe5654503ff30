/** Items in line, those of each key in their order, the keys in turns: one project that sends a flood does not hold up the others. */
export class FairQueue<Key, Item> {
  /** Keys that have items, whose turn it is first. */
  readonly #byKey = new Map<Key, Item[]>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(key: Key, item: Item): void {
    const ofKey = this.#byKey.get(key);
    if (ofKey === undefined) this.#byKey.set(key, [item]);
    else ofKey.push(item);
    this.#length += 1;
  }

  /** The item that `shift` would give. */
  get first(): Item | undefined {
    for (const ofKey of this.#byKey.values()) return ofKey[0];
    return undefined;
  }

  firstOf(key: Key): Item | undefined {
    return this.#byKey.get(key)?.[0];
  }

  shift(): Item | undefined {
    for (const [key, ofKey] of this.#byKey) {
      const item = ofKey.shift();
      this.#byKey.delete(key);
      if (ofKey.length > 0) this.#byKey.set(key, ofKey); // behind the others
      this.#length -= 1;
      return item;
    }
    return undefined;
  }
}
