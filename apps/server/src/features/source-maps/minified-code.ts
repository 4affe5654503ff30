import { Injectable } from '@nestjs/common';
import type { FunctionTable, TimeRange } from '@hearth/profile-model';
import type { MinifiedFileAnswer } from '@hearth/query-contract';
import { Catalog, NO_REVISIONS } from '../catalog/index.js';
import { matchFile } from './match-file.js';
import { MinifiedFiles } from './minified-files.repository.js';
import { SourceMaps } from './source-maps.repository.js';

/** What was asked about. */
export interface MinifiedScope {
  readonly serviceId: number;
  readonly range: TimeRange;
  /** `undefined`: all. */
  readonly revisionIds: readonly number[] | undefined;
}

/** Says which part of an answer came minified. */
@Injectable()
export class MinifiedCode {
  constructor(
    readonly minified: MinifiedFiles,
    readonly maps: SourceMaps,
    readonly catalog: Catalog,
  ) {}

  /** As `among`, but of revisions that there can be maps of: what is said of others nobody can mend. */
  async withoutMaps(scope: MinifiedScope, functions: Pick<FunctionTable, 'package' | 'file'>): Promise<MinifiedFileAnswer[]> {
    return (await this.among(scope, functions)).filter(({ revision }) => !NO_REVISIONS.includes(revision));
  }

  /** Files of `functions` that came minified within the range, by revision, then file. */
  async among(
    { serviceId, range, revisionIds }: MinifiedScope,
    functions: Pick<FunctionTable, 'package' | 'file'>,
  ): Promise<MinifiedFileAnswer[]> {
    const known = await this.minified.list(serviceId, range, revisionIds);
    if (known.length === 0) return [];
    const shown = new Set(functions.file.filter((_, row) => functions.package[row] === ''));
    const found = known.filter(({ file }) => shown.has(file));
    if (found.length === 0) return [];
    const nameOf = new Map((await this.catalog.revisions(serviceId)).map(({ id, name }) => [id, name]));
    const mapFilesOf = new Map<string, string[]>();
    for (const { revision, file } of await this.maps.list([serviceId], undefined)) {
      const files = mapFilesOf.get(revision);
      if (files === undefined) mapFilesOf.set(revision, [file]);
      else files.push(file);
    }
    return found.map(({ revisionId, file }) => {
      const revision = nameOf.get(revisionId) ?? '';
      return { revision, file, hasMap: matchFile(mapFilesOf.get(revision) ?? [], file) !== undefined };
    });
  }
}
