import { decodedMappings, type SourceMapSegment, type TraceMap } from '@jridgewell/trace-mapping';

/** A word of the source, and what shows that it may be the name of a function: `f(`, `f = `, `f: T = `, `f<T>(`, `class F {`; a parameter `f: T` is none. */
const NAME = /(#?[\w$\u0080-\uffff]{1,500})(\s{0,8}(?:[(=<{?!]|:[^,;(){}]{1,200}=))?/y;
const IN_WORD = /[\w$\u0080-\uffff]/;
const CLASS = /\bclass\s+([\w$\u0080-\uffff]{1,500})/g;
const CONSTRUCTOR = 'constructor';
/** Words that stand before a name, or look like one. */
const KEYWORDS = new Set(
  'abstract async await case catch class const declare default delete do else export extends for function get if import in let new of override private protected public readonly return set static super switch this throw typeof var void while with yield'.split(
    ' ',
  ),
);

/** Mappings and the names that they refer to. */
export interface NamedMappings {
  readonly mappings: SourceMapSegment[][];
  readonly names: string[];
}

/**
 * The mappings of a map with the names that its sources show: some tools write none, some those of their own steps. Where a source is not in the map, the names
 * stay as they are. A constructor is given the name of its class, as V8 calls it.
 */
export function completeNames(map: TraceMap): NamedMappings {
  const sources = (map.sourcesContent ?? []).map((content) => (content === null ? undefined : new SourceText(content)));
  const [names, rowOfName] = [[] as string[], new Map<string, number>()];
  const rowOf = (name: string): number => {
    let row = rowOfName.get(name);
    if (row === undefined) rowOfName.set(name, (row = names.push(name) - 1));
    return row;
  };
  const mappings = decodedMappings(map).map((line) =>
    line.map((segment): SourceMapSegment => {
      if (segment.length === 1) return [...segment];
      const [column, source, sourceLine, sourceColumn] = segment;
      const text = sources[source];
      const name = text === undefined ? map.names[segment[4] ?? -1] : text.nameAt(sourceLine, sourceColumn);
      const place = [column, source, sourceLine, sourceColumn] as const;
      return name === undefined ? [...place] : [...place, rowOf(name)];
    }),
  );
  return { mappings, names };
}

class SourceText {
  readonly #lines: readonly string[];
  /** Names of classes by the line that they begin on; made when the first constructor is met. */
  #classes: { readonly line: number; readonly name: string }[] | undefined;

  constructor(content: string) {
    this.#lines = content.split('\n');
  }

  nameAt(line: number, column: number): string | undefined {
    const text = this.#lines[line];
    // The rest of a word is no name, and a word that each of its signs is mapped to would become as many.
    if (text === undefined || IN_WORD.test(text[column - 1] ?? '')) return undefined;
    NAME.lastIndex = column;
    const [, word, sign] = NAME.exec(text) ?? [];
    if (word === CONSTRUCTOR) return this.#classAt(line);
    return word === undefined || sign === undefined || KEYWORDS.has(word) || /^\d/.test(word) ? undefined : word;
  }

  /** The last class that begins before the line, or on it. */
  #classAt(line: number): string | undefined {
    this.#classes ??= this.#lines.flatMap((text, at) => [...text.matchAll(CLASS)].map(([, name]) => ({ line: at, name: name! })));
    let [low, high] = [0, this.#classes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#classes[middle]!.line <= line) low = middle + 1;
      else high = middle;
    }
    return this.#classes[low - 1]?.name;
  }
}
