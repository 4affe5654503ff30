/**
 * A number as it travels in JSON: whole numbers that a double cannot tell from their neighbours go as a string of
 * digits, so that a reader notices instead of computing with a wrong last digit.
 *
 * Typed as a number because every value of our own profile types is one: 2^53 microseconds are 285 years of a core.
 */
export function wireNumber(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  return BigInt(Math.round(value)).toString() as unknown as number;
}
