import { encodedMappings, TraceMap, type SourceMapSegment } from '@jridgewell/trace-mapping';

/** One line of generated code: places and what they come from, as [column, source, line, column, name], all from 0. */
export type MappedLine = readonly SourceMapSegment[];

/** A source map as a tool would write it. */
export function madeMap(
  lines: readonly MappedLine[],
  { sources = ['../src/order.ts', '../src/price.ts'], names = ['parseOrder', 'priceOrder'] } = {},
): { version: 3; sources: string[]; names: string[]; mappings: string } {
  const mappings = lines.map((line) => line.map((segment): SourceMapSegment => [...segment]));
  return { version: 3, sources, names, mappings: encodedMappings(new TraceMap({ version: 3, sources, names, mappings })) };
}
