import { FlattenMap, TraceMap, type EncodedSourceMap } from '@jridgewell/trace-mapping';
import { z } from 'zod';
import { HearthError } from '../../platform/http/hearth-error.js';

/** A map of six million characters has a million; each takes some 90 bytes while it is read. */
export const MAX_SEGMENTS = 2_000_000;
const MAX_SOURCES = 100_000;
const MAX_NAMES = 1_000_000;
const MAX_SECTIONS = 1_000;
/** Where a section may begin: every line before it takes memory. */
const MAX_OFFSET = 500_000;

const nullable = z.array(z.string().nullable());
const mapSchema = z.object({
  version: z.literal(3),
  sources: nullable.max(MAX_SOURCES),
  names: z.array(z.string()).max(MAX_NAMES).default([]),
  mappings: z.string().regex(/^[A-Za-z0-9+/,;]*$/, 'holds characters that are no base 64 VLQ'),
  sourcesContent: nullable.max(MAX_SOURCES).nullish(),
  sourceRoot: z.string().nullish(),
});
const offset = z.number().int().min(0).max(MAX_OFFSET);
/** Sections hold plain maps: none that we know of nests them. */
const sectionsSchema = z.object({
  version: z.literal(3),
  sections: z.array(z.object({ offset: z.object({ line: offset, column: offset }), map: mapSchema })).max(MAX_SECTIONS),
});

/**
 * A source map as it was sent, with or without sections, once it is known to be one.
 *
 * @param file - The generated file: sources are made relative to what it is relative to.
 * @throws {HearthError} `SOURCE_MAP_INVALID` 400, `SOURCE_MAP_TOO_LARGE` 413
 */
export function checkedMap(bytes: Uint8Array, file: string): TraceMap {
  const json = parsed(bytes);
  if (!('sections' in json)) return new TraceMap(plainMap(checked(mapSchema, json)), file);
  const { version, sections } = checked(sectionsSchema, json);
  return FlattenMap({ version, sections: sections.map(({ offset: at, map }) => ({ offset: at, map: plainMap(map) })) }, file);
}

function parsed(bytes: Uint8Array): object {
  let json: unknown;
  try {
    // Some servers put this line in front of JSON that scripts must not load.
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/^\)\]\}'[^\n]*\n/, ''));
  } catch (error) {
    throw invalid(`it is no JSON in UTF-8 (${(error as Error).message.slice(0, 100)})`, error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('it is JSON, and no object');
  return json;
}

function checked<Schema extends z.ZodType>(schema: Schema, json: object): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw invalid(`${path.join('.').slice(0, 100) || 'the map'}: ${message.slice(0, 200)}`);
}

function plainMap({ sourcesContent, sourceRoot, ...map }: z.output<typeof mapSchema>): EncodedSourceMap {
  let segments = 1;
  for (const sign of map.mappings) if (sign === ',' || sign === ';') segments += 1;
  if (segments > MAX_SEGMENTS)
    throw new HearthError('SOURCE_MAP_TOO_LARGE', `the map has ${segments} places, ${MAX_SEGMENTS} are read: split the bundle`, {
      status: 413,
    });
  return {
    ...map,
    ...(sourcesContent ? { sourcesContent: sourcesContent.slice(0, map.sources.length) } : {}),
    ...(sourceRoot ? { sourceRoot } : {}),
  };
}

function invalid(why: string, cause?: unknown): HearthError {
  return new HearthError('SOURCE_MAP_INVALID', `the body is no source map of version 3: ${why}`, { cause });
}
