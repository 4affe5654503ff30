import type { Profile } from '@hearth/profile-model';
import { cpuprofileToProfile } from './cpuprofile/read-cpuprofile.js';
import { detectFormat } from './detect-format.js';
import { FormatError } from './errors.js';
import { foldedToProfile } from './folded/read-folded.js';
import type { Inflate } from './inflate.js';
import { inflateWith, isGzip } from './inflate.js';
import type { FormatLimits } from './limits.js';
import { DEFAULT_FORMAT_LIMITS, assertWithin } from './limits.js';
import { pprofToProfiles } from './pprof/pprof-to-profiles.js';

export type ProfileFormat = 'pprof' | 'folded' | 'cpuprofile';

export interface ReadProfilesOptions {
  /** Default: 64 MiB, 1,000,000 rows, stacks of 20,000 frames, 4,096 label sets of 64 labels. */
  readonly limits?: Partial<FormatLimits>;
  /** For gzip files; without it they are refused with `FORMAT_GZIP`. `inflateByStream` beforehand is the way without one. */
  readonly inflate?: Inflate;
  /** Absolute folder of the repository in which the program ran, if known: files are made relative to it. */
  readonly rootDir?: string;
  /** Whether the lines of the file are those that ran, not those of definitions, which it cannot tell itself: then functions have a row for each. pprof only. */
  readonly hasCallSiteLines?: boolean;
}

export interface ReadProfiles {
  readonly format: ProfileFormat;
  /** One for each value type of the file, over the same tables. */
  readonly profiles: Profile[];
  /** Of each row of their functions the line that ran, from 1, 0 if unknown; `undefined`: it was not asked for, or the format has none. */
  readonly functionLine?: Uint32Array | undefined;
}

/**
 * Reads a profile file of any supported format, told by its content, never by its name. Times become whole microseconds.
 *
 * Synchronous, and its time and memory are bounded by `limits`; it is still meant for a thread that can be ended.
 *
 * @throws {FormatError} `FORMAT_*` and the codes of the format
 */
export function readProfiles(bytes: Uint8Array, options: ReadProfilesOptions = {}): ReadProfiles {
  const limits = { ...DEFAULT_FORMAT_LIMITS, ...options.limits };
  const rootDir = options.rootDir ?? '';
  assertWithin(bytes.length, limits.maxBytes, 'bytes');
  const content = isGzip(bytes) ? inflated(bytes, options.inflate, limits) : bytes;
  const detected = detectFormat(content);
  switch (detected.format) {
    case 'pprof':
      return {
        format: 'pprof',
        ...pprofToProfiles(content, limits, { rootDir, hasCallSiteLines: options.hasCallSiteLines ?? false }),
      };
    case 'folded':
      return { format: 'folded', profiles: [foldedToProfile(detected.text, limits)] };
    case 'cpuprofile':
      return { format: 'cpuprofile', profiles: [cpuprofileToProfile(detected.json, limits, rootDir)] };
  }
}

function inflated(bytes: Uint8Array, inflate: Inflate | undefined, limits: FormatLimits): Uint8Array {
  if (inflate === undefined) throw new FormatError('FORMAT_GZIP', 'compressed, and no inflater was given');
  return inflateWith(inflate, bytes, limits.maxBytes);
}
