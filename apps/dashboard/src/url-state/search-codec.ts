/**
 * The state of a page is its URL. Every value is text there; what is not text is JSON. Nothing is guessed from
 * its looks: a revision `1e5` stays that, where the router's own parser would make a number of it.
 */

/** Written into every URL. Raised when an old link would be understood wrongly; `readSearch` then translates. */
export const URL_STATE_VERSION = 1;

/** How one parameter is read and what it is when it is missing or makes no sense. */
export interface Parameter<Value> {
  readonly missing: Value;
  /** The value of what stands in the URL (text) or in a navigation (the value itself). `undefined`: makes no sense. */
  read(raw: unknown): Value | undefined;
}

export function text(missing = '', maxLength = 2000): Parameter<string> {
  return { missing, read: (raw) => (typeof raw === 'string' && raw.length <= maxLength ? raw : undefined) };
}

export function oneOf<const Value extends string>(values: readonly Value[], missing: NoInfer<Value>): Parameter<Value> {
  return { missing, read: (raw) => values.find((value) => value === raw) };
}

/** A JSON list, each entry checked by `readEntry`; an entry that makes no sense is left out. */
export function list<Entry>(readEntry: (raw: unknown) => Entry | undefined): Parameter<readonly Entry[]> {
  return {
    missing: [],
    read(raw) {
      const values = typeof raw === 'string' ? parseJson(raw) : raw;
      if (!Array.isArray(values)) return undefined;
      return values.map(readEntry).filter((entry): entry is Entry & {} => entry !== undefined);
    },
  };
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type SearchOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer Value> ? Value : never;
};

/** Everything a page may find in its URL, complete; what is missing or makes no sense has its default. */
export function readSearch<P extends Parameters>(parameters: P, raw: Record<string, unknown>): SearchOf<P> {
  const search: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    search[name] = (Object.hasOwn(raw, name) ? parameter.read(raw[name]) : undefined) ?? parameter.missing;
  }
  return search as SearchOf<P>;
}

/** What is left out of the URL: parameters that have their default. */
export function missingValues<P extends Parameters>(parameters: P): SearchOf<P> {
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameter.missing])) as SearchOf<P>;
}

/** The router's parser: `?a=b` to text values. */
export function parseSearch(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

/** The router's writer. The version comes first, so that a later reader knows it before the rest. */
export function stringifySearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || name === 'v') continue;
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const rest = query.toString();
  return rest === '' ? '' : `?v=${URL_STATE_VERSION}&${rest}`;
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
