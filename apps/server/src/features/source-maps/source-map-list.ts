import { Injectable } from '@nestjs/common';
import type { RemovedSourceMapsAnswer, SourceMapsAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { Catalog, type ServiceRow } from '../catalog/index.js';
import { MinifiedFiles } from './minified-files.repository.js';
import { OriginalFunctions } from './original-functions.js';
import { SourceMaps } from './source-maps.repository.js';

/** Shows and removes what there is. */
@Injectable()
export class SourceMapList {
  constructor(
    readonly maps: SourceMaps,
    readonly minified: MinifiedFiles,
    readonly functions: OriginalFunctions,
    readonly catalog: Catalog,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND` 404 */
  async list(
    projectId: number,
    { service, revision }: { readonly service?: string | undefined; readonly revision?: string | undefined },
  ): Promise<SourceMapsAnswer> {
    const services = service === undefined ? await this.catalog.services(projectId) : [await this.#service(projectId, service)];
    const nameOf = new Map(services.map(({ id, name }) => [id, name]));
    const maps = await this.maps.list([...nameOf.keys()], revision);
    const minified = [];
    for (const { id, name } of services) {
      const revisionNameOf = new Map((await this.catalog.revisions(id)).map((row) => [row.id, row.name]));
      for (const { revisionId, file, firstMs, lastMs } of await this.minified.list(id, ALL_TIME, undefined)) {
        const revisionName = revisionNameOf.get(revisionId) ?? '';
        if (revision === undefined || revision === revisionName)
          minified.push({ service: name, revision: revisionName, file, firstMs, lastMs });
      }
    }
    return {
      maps: maps.map(({ serviceId, ...map }) => ({ service: nameOf.get(serviceId)!, ...map })),
      minified,
    };
  }

  /** @throws {HearthError} `SERVICE_NOT_FOUND` 404 */
  async remove(projectId: number, service: string, revision: string): Promise<RemovedSourceMapsAnswer> {
    const { id } = await this.#service(projectId, service);
    const removed = await this.maps.remove(id, revision);
    this.functions.forget(id, revision);
    return { removed };
  }

  async #service(projectId: number, name: string): Promise<ServiceRow> {
    const found = await this.catalog.findService(projectId, name);
    if (found !== null) return found;
    throw new HearthError(
      'SERVICE_NOT_FOUND',
      `this project has no service ${JSON.stringify(name)}: GET /api/v1/services lists them`,
      { status: 404 },
    );
  }
}

const ALL_TIME = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
