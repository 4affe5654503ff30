/** Hands a resource on to whoever waits, in the call in which another gives it back: as pools with callbacks do, which lose the context so. */
export class CallbackPool {
  #isFree = true;
  #waiting = [];
  acquire(callback) {
    if (this.#isFree) {
      this.#isFree = false;
      callback();
    } else this.#waiting.push(callback);
  }
  release() {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isFree = true;
    else next();
  }
}
