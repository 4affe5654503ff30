import { Injectable } from '@nestjs/common';
import { WASM_FILE, type FunctionTable } from '@hearth/profile-model';
import type { FoundFunctions } from './find-functions.worker.js';
import { MapLookups, type MapToAsk } from './map-lookups.js';
import { matchFile } from './match-file.js';
import type { GeneratedFunction, OriginalFunction } from './original-function.js';
import { SourceMaps } from './source-maps.repository.js';

/** Where each function of a table is defined, or in profiles of lines where it ran; 0 is unknown. */
export interface FunctionPlaces {
  readonly line: Uint32Array;
  /** `undefined`: of none it is known. */
  readonly column: Uint32Array | undefined;
}

/** Whether the place of a row is that of a call site; default: of none. */
export type IsOfCallSite = (row: number) => boolean;

export interface NamedFunctions {
  readonly functions: FunctionTable;
  /** As in `FunctionPlaces`, in the source. */
  readonly line: Uint32Array;
  readonly isChanged: boolean;
  /** Files of the program whose functions stay minified, each once. */
  readonly minifiedFiles: readonly string[];
}

/** Nobody writes lines as long as this: a function that begins behind it was put there by a minifier. */
export const MINIFIED_COLUMN = 500;
/** Of one batch: what is beyond comes with the next. */
const MAX_FOUND_AT_ONCE = 5_000;
/** How long a batch waits for all of its maps. */
const NAMING_TIMEOUT_MS = 10_000;
/** How late a map that another api process took in is known here. */
const LIST_LIFE_MS = 10_000;
const REMEMBERED_REVISIONS = 1_000;
const REMEMBERED_FUNCTIONS = 100_000;
/** Longer names are made up by somebody; such functions are found anew each time. */
const MAX_REMEMBERED_NAME = 300;

/** What is known of one revision: its maps, and the functions that were found in them. */
interface KnownRevision {
  /** Hash of each map, by its file. */
  readonly hashOf: ReadonlyMap<string, string>;
  /** File of the map, by the file that functions name; `undefined`: none fits. */
  readonly mapOf: Map<string, string | undefined>;
}

/** Gives functions of generated code the names that they have in their sources. */
@Injectable()
export class OriginalFunctions {
  readonly #revisions = new Map<string, { readonly untilMs: number; readonly known: Promise<KnownRevision> }>();
  /** By hash of the map, then place and name; `undefined`: the map does not know it. */
  readonly #found = new Map<string, Map<string, OriginalFunction | undefined>>();
  #foundCount = 0;

  constructor(
    readonly maps: SourceMaps,
    readonly lookups: MapLookups,
  ) {}

  /** What no map knows stays as it is, and so does everything while maps cannot be read: a batch is never refused for its maps. */
  async name(
    { serviceId, revision }: { readonly serviceId: number; readonly revision: string },
    functions: FunctionTable,
    places: FunctionPlaces,
    isOfCallSite: IsOfCallSite = () => false,
  ): Promise<NamedFunctions> {
    const known = await this.#revision(serviceId, revision);
    const mapFiles = known.hashOf.size === 0 ? [] : mapFileOfRows(functions, known);
    const rowsOfMap = new Map<string, number[]>();
    mapFiles.forEach((file, row) => {
      if (file === undefined) return;
      const rows = rowsOfMap.get(file);
      if (rows === undefined) rowsOfMap.set(file, [row]);
      else rows.push(row);
    });
    const originalOf = new Map<number, OriginalFunction>();
    const readFiles = new Set<string>();
    let deadline: AbortSignal | undefined;
    for (const [file, rows] of rowsOfMap) {
      deadline ??= AbortSignal.timeout(NAMING_TIMEOUT_MS);
      const generated = rows.map((row) => ({
        name: functions.name[row]!,
        line: places.line[row]!,
        column: places.column?.[row] ?? 0,
        at: isOfCallSite(row) ? ('first-word' as const) : ('parameters' as const),
      }));
      const { found, isComplete } = await this.#find(
        { serviceId, revision, file, hash: known.hashOf.get(file)! },
        generated,
        deadline,
      );
      if (isComplete) readFiles.add(file);
      rows.forEach((row, at) => {
        const original = found[at];
        if (original !== undefined) originalOf.set(row, original);
      });
    }
    return {
      ...withOriginals(functions, places.line, originalOf),
      isChanged: originalOf.size > 0,
      // What a bundler adds is in no source: a map that was asked and does not know it is no missing map.
      minifiedFiles: minifiedFiles(functions, places, (row) => readFiles.has(mapFiles[row] ?? '')),
    };
  }

  /** A map of the revision has come or gone. */
  forget(serviceId: number, revision: string): void {
    this.#revisions.delete(JSON.stringify([serviceId, revision]));
  }

  /** Asked for once, however many batches of a fleet come together. */
  async #revision(serviceId: number, revision: string): Promise<KnownRevision> {
    const key = JSON.stringify([serviceId, revision]);
    const nowMs = Date.now();
    const remembered = this.#revisions.get(key);
    if (remembered !== undefined && remembered.untilMs > nowMs) return remembered.known;
    const known = this.#readRevision(serviceId, revision, nowMs);
    if (this.#revisions.size >= REMEMBERED_REVISIONS) this.#revisions.clear();
    this.#revisions.set(key, { untilMs: nowMs + LIST_LIFE_MS, known });
    known.catch(() => this.#revisions.delete(key)); // whoever waits for it is told
    return known;
  }

  async #readRevision(serviceId: number, revision: string, nowMs: number): Promise<KnownRevision> {
    const rows = revision === '' ? [] : await this.maps.use(serviceId, revision, nowMs);
    return { hashOf: new Map(rows.map(({ file, hash }) => [file, hash])), mapOf: new Map() };
  }

  async #find(
    map: MapToAsk,
    functions: readonly GeneratedFunction[],
    deadline: AbortSignal,
  ): Promise<{ readonly found: FoundFunctions; readonly isComplete: boolean }> {
    const known = this.#foundIn(map.hash);
    const missing = [...new Map(functions.map((one) => [placeKey(one), one]))].filter(([place]) => !known.has(place));
    const fresh = new Map<string, OriginalFunction | undefined>();
    let wasRead = missing.length === 0;
    if (missing.length > 0) {
      const asked = missing.slice(0, MAX_FOUND_AT_ONCE);
      const found = await this.lookups.find(
        map,
        asked.map(([, one]) => one),
        deadline,
      );
      wasRead = found !== undefined;
      asked.forEach(([place, { name }], at) => {
        fresh.set(place, found?.[at]);
        if (found === undefined || name.length > MAX_REMEMBERED_NAME) return;
        known.set(place, found[at]);
        this.#foundCount += 1;
      });
    }
    return {
      found: functions.map((one) => known.get(placeKey(one)) ?? fresh.get(placeKey(one))),
      isComplete: missing.length === fresh.size && wasRead,
    };
  }

  #foundIn(hash: string): Map<string, OriginalFunction | undefined> {
    if (this.#foundCount > REMEMBERED_FUNCTIONS) {
      this.#found.clear();
      this.#foundCount = 0;
    }
    let known = this.#found.get(hash);
    if (known === undefined) this.#found.set(hash, (known = new Map()));
    return known;
  }
}

const placeKey = ({ name, line, column, at }: GeneratedFunction): string => `${line} ${column} ${at} ${name}`;

/** The file of the map of each row; packages have maps of their own, which nobody uploads. */
function mapFileOfRows(functions: FunctionTable, { hashOf, mapOf }: KnownRevision): (string | undefined)[] {
  const files = [...hashOf.keys()];
  return functions.file.map((file, row) => {
    if (functions.package[row] !== '' || file === '') return undefined;
    if (!mapOf.has(file)) {
      if (mapOf.size > REMEMBERED_REVISIONS) mapOf.clear();
      mapOf.set(file, matchFile(files, file));
    }
    return mapOf.get(file);
  });
}

function withOriginals(
  functions: FunctionTable,
  line: Uint32Array,
  originalOf: ReadonlyMap<number, OriginalFunction>,
): Pick<NamedFunctions, 'functions' | 'line'> {
  if (originalOf.size === 0) return { functions, line };
  return {
    functions: {
      length: functions.length,
      name: functions.name.map((name, row) => originalOf.get(row)?.name ?? name),
      package: functions.package.map((name, row) => originalOf.get(row)?.package ?? name),
      file: functions.file.map((file, row) => originalOf.get(row)?.file ?? file),
    },
    line: line.map((one, row) => originalOf.get(row)?.line ?? one),
  };
}

function minifiedFiles(functions: FunctionTable, { column }: FunctionPlaces, hasReadMap: (row: number) => boolean): string[] {
  if (column === undefined) return [];
  const files = new Set<string>();
  for (let row = 0; row < column.length; row += 1)
    if (column[row]! > MINIFIED_COLUMN && functions.package[row] === '' && functions.file[row] !== '' && !hasReadMap(row))
      files.add(functions.file[row]!);
  files.delete(WASM_FILE); // a column there is an offset in bytes, and no map is uploaded for it
  return [...files];
}
