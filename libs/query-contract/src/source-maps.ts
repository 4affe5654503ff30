import { MAX_NAME_LENGTH } from '@hearth/profile-model';
import { z } from 'zod';

/** Files in one claim. */
export const MAX_CLAIMS_AT_ONCE = 100;

/** Relative to the root of the program, with `/`, without `.` and `..`. */
const generatedFile = z
  .string()
  .min(1)
  .max(1_000)
  .refine(
    (file) => !/[\\\0]/.test(file) && file.split('/').every((part) => !['', '.', '..'].includes(part)),
    'must be a path relative to the root of the program, as dist/server.js',
  );

export const sourceMapRevisionSchema = z.object({
  service: z.string().min(1).max(MAX_NAME_LENGTH),
  /** As its processes send it. */
  revision: z.string().min(1).max(MAX_NAME_LENGTH),
});
export const sourceMapUploadSchema = sourceMapRevisionSchema.extend({
  /** The generated file, not its map. */
  file: generatedFile,
});
/** Files of one revision that a process could send the maps of. */
export const sourceMapClaimsSchema = sourceMapRevisionSchema.extend({
  files: z.array(generatedFile).min(1).max(MAX_CLAIMS_AT_ONCE),
});
export const sourceMapsQuerySchema = sourceMapRevisionSchema.partial();

/** One map, as it was taken in. */
export interface SourceMapAnswer {
  readonly service: string;
  readonly revision: string;
  readonly file: string;
  /** `unchanged`: the very same was there already. */
  readonly outcome: 'stored' | 'unchanged' | 'replaced';
  /** SHA-256 of what is kept of it. */
  readonly hash: string;
  /** Of what is kept: names and places, no sources. */
  readonly sizeBytes: number;
  /** The same, compressed. */
  readonly storedBytes: number;
  /** How many sources it names. */
  readonly sources: number;
}

/** `stored`: the map is there. `claimed`: it is for the process that asked to send it. `taken`: another one does, or it was refused. */
export type SourceMapClaimState = 'stored' | 'claimed' | 'taken';

export interface SourceMapClaimsAnswer {
  /** In the order of the files. */
  readonly states: readonly SourceMapClaimState[];
}

export interface SourceMapsAnswer {
  /** The last uploaded first, at most 10,000. */
  readonly maps: readonly {
    readonly service: string;
    readonly revision: string;
    readonly file: string;
    readonly hash: string;
    readonly sizeBytes: number;
    readonly storedBytes: number;
    readonly uploadedMs: number;
    /** When a batch of its revision last came, to half a day; or when it was uploaded. */
    readonly usedMs: number;
  }[];
  /** Files whose functions came minified and were kept so, at most 50 of a revision. */
  readonly minified: readonly {
    readonly service: string;
    readonly revision: string;
    readonly file: string;
    /** Between them there was at least one batch with such functions; to ten minutes. */
    readonly firstMs: number;
    readonly lastMs: number;
  }[];
}

export interface RemovedSourceMapsAnswer {
  readonly removed: number;
}

/** A file of an answer whose functions came minified in one revision, without a source map: a minifier's names differ in each build. */
export interface MinifiedFileAnswer {
  readonly revision: string;
  readonly file: string;
  /** A map is there by now: what has come since is named by its sources. */
  readonly hasMap: boolean;
}
