export const LABEL_OPERATORS = ['=', '!=', '=~', '!~'] as const;
export type LabelOperator = (typeof LABEL_OPERATORS)[number];

/** One condition on a label, as the filter bar edits it and as the URL holds it. */
export type LabelFilter = readonly [name: string, operator: LabelOperator, value: string];

/** `{plan="pro",pod=~"a.*"}` of the API; `undefined` when nothing is asked. */
export function matchText(filters: readonly LabelFilter[]): string | undefined {
  if (filters.length === 0) return undefined;
  return `{${filters.map(([name, operator, value]) => `${name}${operator}${quoted(value)}`).join(',')}}`;
}

/** One entry of the URL's list. `undefined`: not a filter. */
export function readLabelFilter(raw: unknown): LabelFilter | undefined {
  if (!Array.isArray(raw) || raw.length !== 3) return undefined;
  const [name, operator, value] = raw as unknown[];
  const known = LABEL_OPERATORS.find((candidate) => candidate === operator);
  return typeof name === 'string' && name !== '' && known && typeof value === 'string' ? [name, known, value] : undefined;
}

const CONDITION = /([^\s{},=!~"]+)(=~|!~|!=|=)"((?:\\.|[^"\\])*)"/g;

/** The conditions of an API's `match`, to be edited again. */
export function readMatchText(match: string | undefined): LabelFilter[] {
  return [...(match ?? '').matchAll(CONDITION)].map(([, name, operator, value]) => [
    name!,
    operator as LabelOperator,
    value!.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
  ]);
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
