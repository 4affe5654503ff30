import { Inject, Injectable } from '@nestjs/common';
import type { SourceMapAnswer } from '@hearth/query-contract';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { StorageRoom } from '../../platform/database/storage-room.js';
import { HearthError, readBody, type ContentEncoding } from '../../platform/http/index.js';
import { errorOf, type WorkerFault } from '../../platform/worker-pool/worker-fault.js';
import type { AuthorisedRequest } from '../access/index.js';
import { Catalog, Origins } from '../catalog/index.js';
import { Limits } from '../limits/index.js';
import { OriginalFunctions } from './original-functions.js';
import { tooLarge, type ReadSourceMap, type ReadSourceMapTask } from './read-source-map.worker.js';
import { MapReadingThread } from './source-map-threads.js';
import { SourceMapClaims } from './source-map-claims.repository.js';
import { SourceMaps } from './source-maps.repository.js';

const WORKER_FILE = 'features/source-maps/read-source-map.worker.js';
/** Bodies in memory at once, in one process: each may be as large as the largest map. */
const MAX_AT_ONCE = 4;
const READ_TIMEOUT_MS = 60_000;
/** Of this map: it would be refused again. */
const REFUSALS = new Set(['SOURCE_MAP_INVALID', 'SOURCE_MAP_TOO_LARGE', 'TOO_MANY_SOURCE_MAPS', 'SOURCE_MAPS_FULL']);

export interface SourceMapUpload {
  readonly service: string;
  readonly revision: string;
  readonly file: string;
}

/** Takes in source maps. */
@Injectable()
export class SourceMapIntake {
  #underWay = 0;

  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    readonly thread: MapReadingThread,
    readonly maps: SourceMaps,
    readonly claims: SourceMapClaims,
    readonly functions: OriginalFunctions,
    readonly catalog: Catalog,
    readonly origins: Origins,
    readonly limits: Limits,
    readonly room: StorageRoom,
  ) {}

  /** @throws {HearthError} `SOURCE_MAP_INVALID` 400, `SOURCE_MAP_TOO_LARGE`, `TOO_MANY_SOURCE_MAPS`, `SOURCE_MAPS_FULL` 413, `SOURCE_MAPS_BUSY` 429, `TOO_MANY_SERVICES`, `STORAGE_FULL` 503 */
  async take(request: AuthorisedRequest, upload: SourceMapUpload, encoding: ContentEncoding): Promise<SourceMapAnswer> {
    if (this.#underWay >= MAX_AT_ONCE) {
      request.resume();
      throw new HearthError('SOURCE_MAPS_BUSY', `${MAX_AT_ONCE} source maps are read already: send again later`, {
        status: 429,
        retryAfterSeconds: 2,
      });
    }
    this.#underWay += 1;
    try {
      await this.room.assertRoom();
      const map = await this.#read(request, upload.file, encoding);
      return await this.#store(request.projectId, upload, map);
    } catch (error) {
      if (error instanceof HearthError && REFUSALS.has(error.code)) await this.#noteRefusal(request.projectId, upload);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Other processes that could send it are not asked to. */
  async #noteRefusal(projectId: number, { service, revision, file }: SourceMapUpload): Promise<void> {
    const found = await this.catalog.findService(projectId, service);
    if (found !== null) await this.claims.refuse(found.id, revision, file, Date.now());
  }

  async #read(request: AuthorisedRequest, file: string, encoding: ContentEncoding): Promise<ReadSourceMap> {
    const maxBytes = this.environment.maxSourceMapBytes;
    const body = await readBody(request, maxBytes).catch((error: unknown) => {
      throw error instanceof HearthError && error.code === 'BODY_TOO_LARGE' ? tooLarge(maxBytes) : error;
    });
    const task: ReadSourceMapTask = { body, encoding, maxBytes, file };
    const read = await this.#inThread(task);
    if ('fault' in read) throw errorOf(read.fault);
    return read;
  }

  async #inThread(task: ReadSourceMapTask): Promise<ReadSourceMap | { fault: WorkerFault }> {
    try {
      return await this.thread.run(WORKER_FILE, task, {
        transferList: [task.body.buffer],
        signal: AbortSignal.timeout(READ_TIMEOUT_MS),
      });
    } catch (error) {
      // It ran out of memory or time, or is what nobody foresaw: of the map either way.
      throw new HearthError('SOURCE_MAP_TOO_LARGE', `reading the map took more memory or time than it may: split the bundle`, {
        status: 413,
        cause: error,
      });
    }
  }

  async #store(
    projectId: number,
    { service, revision, file }: SourceMapUpload,
    { hash, sizeBytes, data, sources }: ReadSourceMap,
  ): Promise<SourceMapAnswer> {
    const nowMs = Date.now();
    const serviceId = await this.origins.ensureService(
      projectId,
      service,
      nowMs,
      await this.limits.ofService(projectId, service),
    );
    const serviceIds = (await this.catalog.services(projectId)).map(({ id }) => id);
    const project = { id: projectId, serviceIds, maxBytes: this.environment.maxSourceMapsTotalBytes };
    const outcome = await this.maps.store({ serviceId, revision, file, hash, sizeBytes, data }, project, nowMs);
    this.functions.forget(serviceId, revision);
    return { service, revision, file, outcome, hash, sizeBytes, storedBytes: data.length, sources };
  }
}
