/** As JSON, which would write `null` for what is not a number. @throws for NaN and infinities */
export function finiteJson(document: unknown): string {
  return JSON.stringify(document, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${value}`);
    return value;
  });
}
