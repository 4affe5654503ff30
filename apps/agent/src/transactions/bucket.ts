/**
 * A number as one of a few words, so that inputs of one size fall into one label:
 * 0, 1, 2-9, 10-99, 100-999, ...; `<0` below zero, and `NaN` for what is no number. Fractions are rounded down.
 */
export function bucket(value: number | bigint): string {
  const number = Number(value);
  if (Number.isNaN(number)) return 'NaN';
  if (number < 0) return '<0';
  if (number < 2) return String(Math.floor(number));
  if (number < 10) return '2-9';
  if (number >= 1e15) return '1000000000000000+';
  const digits = String(Math.floor(number)).length;
  return `1${'0'.repeat(digits - 1)}-${'9'.repeat(digits)}`;
}
