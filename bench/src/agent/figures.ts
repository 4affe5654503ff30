/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** A table for people, then one line of JSON for programs. */
export function printFigures(figures: Readonly<Record<string, unknown>>): void {
  if (!process.argv.includes('--json')) console.table(figures);
  console.log(JSON.stringify(figures));
}

/** How far it is, for people. */
export function progress(text: string): void {
  if (!process.argv.includes('--json')) console.error(text);
}
