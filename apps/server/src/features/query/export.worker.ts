import { gzipSync } from 'node:zlib';
import { profileToFolded, profilesToPprof } from '@hearth/profile-formats';
import type { DurationMs, ProfileHead } from '@hearth/profile-model';
import { averageExportRows, exportProfile, type ExportRows } from './export-profile.js';

/** Runs in a pool thread. */
export interface ExportTask {
  readonly head: ProfileHead;
  readonly rows: ExportRows;
  readonly format: 'pprof' | 'folded';
  /** Set for levels: the time to average over. */
  readonly levelMs: DurationMs | undefined;
}

/** @returns A gzipped pprof message, or folded text. */
export function run({ head, rows, format, levelMs }: ExportTask): Uint8Array {
  const profile = exportProfile(head, levelMs === undefined ? rows : averageExportRows(rows, levelMs));
  return format === 'folded' ? Buffer.from(profileToFolded(profile)) : gzipSync(profilesToPprof([profile]));
}
