/** Rounds a stream of values to whole numbers whose sum never strays from the true sum by one or more: what is cut off one is given to the next. */
export class ConservingRounder {
  #carried = 0;

  /** @param value - From 0. @returns A whole number from 0. */
  round(value: number): number {
    const exact = value + this.#carried;
    // The sum of many parts may miss a whole number by an error of the last bits.
    const whole = Math.floor(exact + 1e-6);
    this.#carried = exact - whole;
    return whole;
  }
}
