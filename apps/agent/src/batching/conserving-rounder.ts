/** Rounds a stream of values to whole steps whose sum never strays from the true sum by a step or more: what is cut off one is given to the next. */
export class ConservingRounder {
  #carried = 0;

  /**
   * @param value - From 0.
   * @param step - A whole number; a call with 1 gives out what the larger steps before have kept back, to the next whole number.
   * @returns A multiple of `step`, from 0.
   */
  round(value: number, step = 1): number {
    const exact = value + this.#carried;
    // The sum of many parts may miss a whole number by an error of the last bits.
    const rounded = Math.floor((exact + 1e-6) / step) * step;
    this.#carried = exact - rounded;
    return rounded;
  }
}
