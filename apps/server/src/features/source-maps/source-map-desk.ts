import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { SourceMapClaimsAnswer } from '@hearth/query-contract';
import { Catalog } from '../catalog/index.js';
import { matchFile } from './match-file.js';
import { SourceMapClaims } from './source-map-claims.repository.js';
import { SourceMaps } from './source-maps.repository.js';

/** Tells processes which maps to send: none that is there, and of twenty processes one. */
@Injectable()
export class SourceMapDesk {
  constructor(
    readonly maps: SourceMaps,
    readonly claims: SourceMapClaims,
    readonly catalog: Catalog,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND` 404: none of its batches has been stored */
  async claim(
    projectId: number,
    { service, revision, files }: { readonly service: string; readonly revision: string; readonly files: readonly string[] },
    nowMs: EpochMs = Date.now(),
  ): Promise<SourceMapClaimsAnswer> {
    const { id } = await this.catalog.serviceNamed(projectId, service);
    const stored = (await this.maps.use(id, revision, nowMs)).map(({ file }) => file);
    const missing = files.filter((file) => matchFile(stored, file) === undefined);
    const claimed = new Set(missing.length === 0 ? [] : await this.claims.claim(id, revision, missing, nowMs));
    const isMissing = new Set(missing);
    return {
      states: files.map((file) => {
        if (!isMissing.has(file)) return 'stored';
        return claimed.has(file) ? 'claimed' : 'taken';
      }),
    };
  }
}
