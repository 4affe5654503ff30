import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs, LabelSet } from '@hearth/profile-model';
import { Like, MoreThan, Not, Repository } from 'typeorm';
import { arrayText } from '../../platform/database/index.js';
import { HearthError } from '../../platform/http/index.js';
import { DEFAULT_LIMITS, OTHER, type ServiceLimits } from '../limits/index.js';
import { ProcessEntity } from './process.entity.js';
import { Releases, UNKNOWN_REVISION, type Release } from './releases.repository.js';
import { COUNT_LIFE_MS, DAY_MS, hiddenMs, RoomForNew } from './room-for-new.js';
import { ServiceEntity } from './service.entity.js';

/** Name of the environment where none is given. */
export const DEFAULT_ENVIRONMENT = 'default';

/** Who sent a profile. */
export interface Sender {
  readonly service: string;
  /** '' becomes `DEFAULT_ENVIRONMENT`. */
  readonly environment: string;
  /** '' becomes `UNKNOWN_REVISION`. */
  readonly revision: string;
  readonly version: string;
  readonly processKey: string;
  readonly startedAtMs: EpochMs;
  readonly host: string;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly agentVersion: string;
  readonly rateHz: number;
  readonly labels: LabelSet;
}

/** The same in numbers. */
export interface Origin {
  readonly serviceId: number;
  readonly environmentId: number;
  readonly revisionId: number;
  readonly processId: number;
}

export interface FoundOrigin {
  readonly origin: Origin;
  /** `other`: the service has too many processes, and this one is counted as the process `__other__` of its revision. */
  readonly process: 'own' | 'other';
  /** What of it became `__other__`, each a code of a limit. */
  readonly folded: readonly string[];
}

/** That a process was heard of. */
export interface Sighting {
  readonly origin: Origin;
  /** The part of time its batch was about. */
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Of the service, when the label sets of the batch were looked up (`LabelSets.generationOf`). */
  readonly labelGeneration: number;
  /** To add to what its agent gave up, once the batch is stored. */
  readonly droppedBatches: number;
}

const REMEMBERED_ORIGINS = 100_000;
/** Services and revisions tell when they were last seen to this grain; processes exactly. */
const SEEN_GRAIN_MS = 5_000;
/** What keys of processes that stand for many begin with. Those of senders are 32 hexadecimal digits, so none can be taken for one. */
const OTHER_KEY = `${OTHER}.`;

/** Services and processes, made when they first send, with their releases. */
@Injectable()
export class Origins {
  readonly #remembered = new Map<string, { found: FoundOrigin; untilMs: EpochMs }>();
  readonly #roomForProcesses = new RoomForNew();
  /** Batches of a process that nobody has heard of may come together: it is looked for once. */
  readonly #finding = new Map<string, Promise<FoundOrigin>>();
  readonly #seenMs = new Map<string, EpochMs>();

  constructor(
    @InjectRepository(ServiceEntity) readonly services: Repository<ServiceEntity>,
    @InjectRepository(ProcessEntity) readonly processes: Repository<ProcessEntity>,
    readonly releases: Releases,
  ) {}

  /**
   * The numbers of a sender; what is new is made, and is committed when this resolves.
   *
   * @throws {HearthError} `TOO_MANY_SERVICES`
   */
  async ensure(projectId: number, sender: Sender, atMs: EpochMs, limits = DEFAULT_LIMITS): Promise<FoundOrigin> {
    const environment = sender.environment || DEFAULT_ENVIRONMENT;
    const revision = sender.revision || UNKNOWN_REVISION;
    const key = JSON.stringify([projectId, sender.service, environment, revision, sender.processKey]);
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && remembered.untilMs > Date.now()) return remembered.found;
    let finding = this.#finding.get(key);
    if (finding === undefined) {
      finding = this.#find(projectId, { ...sender, environment, revision }, atMs, limits).finally(() =>
        this.#finding.delete(key),
      );
      this.#finding.set(key, finding);
    }
    const found = await finding;
    if (this.#remembered.size >= REMEMBERED_ORIGINS) this.#remembered.clear();
    this.#remembered.set(key, { found, untilMs: found.folded.length === 0 ? Infinity : Date.now() + COUNT_LIFE_MS });
    return found;
  }

  async #find(projectId: number, sender: Sender, atMs: EpochMs, limits: ServiceLimits): Promise<FoundOrigin> {
    const serviceId = await this.ensureService(projectId, sender.service, atMs, limits);
    const known = await this.processes.findOneBy({ serviceId, key: sender.processKey });
    const { folded, ...release } = await this.releases.ensure(serviceId, sender, known, atMs, limits);
    const of = { serviceId, ...release };
    const isOwn = known !== null || (await this.#hasRoomForProcess(serviceId, sender.processKey, atMs, limits));
    const processId = known?.id ?? (await this.#ensureProcess(of, isOwn ? sender : otherProcess(release, sender), atMs));
    return {
      origin: { ...of, processId },
      process: isOwn ? 'own' : 'other',
      folded: isOwn ? folded : [...folded, 'PROCESSES_FOLDED'],
    };
  }

  async #hasRoomForProcess(serviceId: number, key: string, atMs: EpochMs, { quota }: ServiceLimits): Promise<boolean> {
    return this.#roomForProcesses.take(serviceId, key, {
      max: quota.processesPerService,
      // By their keys: a host may be called as it likes.
      countRows: () =>
        this.processes.countBy({
          serviceId,
          lastSeenMs: MoreThan(Date.now() - DAY_MS),
          key: Not(Like(`${OTHER_KEY.replaceAll('_', '\\_')}%`)),
        }),
      hiddenMs: hiddenMs(atMs),
    });
  }

  /** @throws {HearthError} `TOO_MANY_SERVICES` */
  async ensureService(projectId: number, name: string, atMs: EpochMs, { quota } = DEFAULT_LIMITS): Promise<number> {
    const found = await this.services.findOneBy({ projectId, name });
    if (found !== null) return found.id;
    if ((await this.services.countBy({ projectId })) >= quota.services)
      throw new HearthError(
        'TOO_MANY_SERVICES',
        `the project has ${quota.services} services already; a new one is not added: PUT /api/v1/limits gives it more`,
      );
    await this.services
      .createQueryBuilder()
      .insert()
      .values({ projectId, name, firstSeenMs: atMs, lastSeenMs: atMs })
      .orIgnore()
      .execute();
    return (await this.services.findOneByOrFail({ projectId, name })).id;
  }

  /**
   * Moves "last seen" of processes, and now and then of their services and revisions.
   *
   * @throws {HearthError} `CATALOG_GONE_BACK` 503: a process that was there, its service or label sets of it are there no more. What was remembered is forgotten then
   */
  async recordSightings(sightings: readonly Sighting[]): Promise<void> {
    const byProcess = new Map<number, Omit<Sighting, 'droppedBatches'>>();
    for (const sighting of sightings) {
      const before = byProcess.get(sighting.origin.processId);
      byProcess.set(
        sighting.origin.processId,
        before === undefined
          ? sighting
          : {
              origin: sighting.origin,
              fromMs: Math.min(before.fromMs, sighting.fromMs),
              untilMs: Math.max(before.untilMs, sighting.untilMs),
              labelGeneration: Math.min(before.labelGeneration, sighting.labelGeneration),
            },
      );
    }
    // In the order of their ids, so that two servers never wait for each other.
    const rows = [...byProcess.values()].sort(
      (a, b) => a.origin.serviceId - b.origin.serviceId || a.origin.processId - b.origin.processId,
    );
    const found = (await this.processes.query(
      `WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS given (service_id, id, from_ms, until_ms)),
         locked AS (SELECT process.service_id, process.id, service.label_generation FROM process JOIN given USING (service_id, id)
           JOIN service ON service.id = process.service_id ORDER BY process.service_id, process.id FOR UPDATE OF process)
       UPDATE process SET
         started_at_ms = LEAST(started_at_ms, given.from_ms), last_seen_ms = GREATEST(last_seen_ms, given.until_ms)
       FROM given JOIN locked USING (service_id, id)
       WHERE process.service_id = given.service_id AND process.id = given.id
       RETURNING process.id, locked.label_generation AS "labelGeneration"`,
      [
        arrayText(rows.map((row) => row.origin.serviceId)),
        arrayText(rows.map((row) => row.origin.processId)),
        arrayText(rows.map((row) => row.fromMs)),
        arrayText(rows.map((row) => row.untilMs)),
      ],
    )) as [{ id: number; labelGeneration: number }[], number]; // what an UPDATE returns, and how many rows it changed
    // Its label sets may have been deleted since: under their ids it could not be told from what was deleted.
    const good = found[0].filter(({ id, labelGeneration }) => byProcess.get(id)!.labelGeneration >= labelGeneration);
    if (good.length < rows.length) {
      this.#remembered.clear();
      this.#roomForProcesses.forget();
      this.releases.forget();
      this.#seenMs.clear();
      throw new HearthError(
        'CATALOG_GONE_BACK',
        `${rows.length - good.length} of ${rows.length} processes or their labels are in the database no more, as after a restored backup or a deletion: send again`,
        { status: 503, retryAfterSeconds: 1 },
      );
    }
    for (const { origin, untilMs } of rows) {
      await this.#moveSeen('service', [origin.serviceId], untilMs);
      await this.#moveSeen('revision', [origin.serviceId, origin.revisionId], untilMs);
    }
  }

  /** Adds what their agents gave up: for batches that were stored, because one that comes again tells it again. */
  async addDroppedBatches(sightings: readonly Sighting[]): Promise<void> {
    const dropped = new Map<number, Sighting>();
    for (const sighting of sightings) {
      if (sighting.droppedBatches === 0) continue;
      const before = dropped.get(sighting.origin.processId)?.droppedBatches ?? 0;
      dropped.set(sighting.origin.processId, { ...sighting, droppedBatches: before + sighting.droppedBatches });
    }
    // One by one, each in a database transaction of its own: seldom more than one, and nobody waits in a circle.
    for (const { origin, droppedBatches } of dropped.values()) {
      await this.processes.query('UPDATE process SET dropped_batches = dropped_batches + $3 WHERE service_id = $1 AND id = $2', [
        origin.serviceId,
        origin.processId,
        droppedBatches,
      ]);
    }
  }

  async #ensureProcess(
    { serviceId, environmentId, revisionId }: Omit<Origin, 'processId'>,
    sender: Sender,
    atMs: EpochMs,
  ): Promise<number> {
    await this.processes
      .createQueryBuilder()
      .insert()
      .values({
        serviceId,
        environmentId,
        revisionId,
        key: sender.processKey,
        startedAtMs: Math.min(sender.startedAtMs, atMs),
        lastSeenMs: atMs,
        host: sender.host,
        pid: sender.pid,
        nodeVersion: sender.nodeVersion,
        agentVersion: sender.agentVersion,
        rateHz: sender.rateHz,
        droppedBatches: 0,
        labels: sender.labels,
      })
      .orIgnore()
      .execute();
    return (await this.processes.findOneByOrFail({ serviceId, key: sender.processKey })).id;
  }

  async #moveSeen(table: 'service' | 'revision', key: number[], untilMs: EpochMs): Promise<void> {
    const name = `${table} ${key.join(' ')}`;
    if (untilMs < (this.#seenMs.get(name) ?? 0) + SEEN_GRAIN_MS) return;
    if (this.#seenMs.size >= REMEMBERED_ORIGINS) this.#seenMs.clear();
    this.#seenMs.set(name, untilMs);
    const where = table === 'service' ? 'id = $2' : 'service_id = $2 AND id = $3';
    await this.services.query(`UPDATE ${table} SET last_seen_ms = GREATEST(last_seen_ms, $1) WHERE ${where}`, [untilMs, ...key]);
  }
}

/** Stands for all processes of one revision in one environment that are too many. */
function otherProcess({ environmentId, revisionId }: Omit<Release, 'folded'>, sender: Sender): Sender {
  return { ...sender, processKey: `${OTHER_KEY}${environmentId}.${revisionId}`, host: OTHER, pid: 0, labels: [] };
}
