import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs } from '@hearth/profile-model';
import { Not, Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { OTHER, type ServiceLimits } from '../limits/index.js';
import { EnvironmentEntity } from './environment.entity.js';
import type { ProcessEntity } from './process.entity.js';
import { RevisionEntity } from './revision.entity.js';
import { DAY_MS, hiddenMs, RoomForNew } from './room-for-new.js';

/** Name of the revision of processes that could not tell theirs. */
export const UNKNOWN_REVISION = 'unknown';
/** Revisions that say nothing of what ran: a deploy of them tells nobody anything, and they are no releases. */
export const NO_REVISIONS: readonly string[] = [UNKNOWN_REVISION, OTHER];

/** A revision in an environment, by their names. */
export interface ReleaseNames {
  readonly environment: string;
  readonly revision: string;
  /** Of the service's package.json; '' if unknown. */
  readonly version: string;
}

/** The same in numbers. */
export interface Release {
  readonly environmentId: number;
  readonly revisionId: number;
  /** What is not as it was sent, and is `__other__`: the service has too many. */
  readonly folded: readonly ('ENVIRONMENTS_FOLDED' | 'RELEASES_FOLDED')[];
}

/** Environments and revisions of services, made when they first send or are announced. */
@Injectable()
export class Releases {
  readonly #roomForEnvironments = new RoomForNew();
  readonly #roomForReleases = new RoomForNew();

  constructor(
    @InjectRepository(EnvironmentEntity) readonly environments: Repository<EnvironmentEntity>,
    @InjectRepository(RevisionEntity) readonly revisions: Repository<RevisionEntity>,
  ) {}

  /**
   * Of a process that sends; what is new is made. Of too many environments or releases, the environment or the revision becomes `__other__`.
   *
   * @param process - As it is known; `null` for a new one.
   */
  async ensure(
    serviceId: number,
    names: ReleaseNames,
    process: ProcessEntity | null,
    atMs: EpochMs,
    limits: ServiceLimits,
  ): Promise<Release> {
    let wanted = names;
    if (process !== null) {
      const { environmentId, revisionId } = process;
      const environment = (await this.environments.findOneBy({ serviceId, id: environmentId }))?.name;
      const revision = (await this.revisions.findOneBy({ serviceId, id: revisionId }))?.name;
      if (environment === names.environment && revision === names.revision) return { environmentId, revisionId, folded: [] };
      // What was folded once stays so: the figures of a process would be in two places.
      if (environment === OTHER) wanted = { ...wanted, environment };
      if (revision === OTHER) wanted = { ...wanted, revision };
    }
    const kept = await this.#withinLimits(serviceId, wanted, atMs, limits);
    const ids = await this.#make(serviceId, kept, atMs);
    if (!NO_REVISIONS.includes(kept.revision)) await this.#recordSeenDeploy(serviceId, ids, names.version, atMs);
    return {
      ...ids,
      folded: [
        ...(kept.environment === names.environment ? [] : (['ENVIRONMENTS_FOLDED'] as const)),
        ...(kept.revision === names.revision ? [] : (['RELEASES_FOLDED'] as const)),
      ],
    };
  }

  /**
   * Of a deploy that is announced; what is new is made.
   *
   * @throws {HearthError} `TOO_MANY_ENVIRONMENTS`, `TOO_MANY_RELEASES`: a deploy of something else would be announced than was asked
   */
  async ensureAnnounced(
    serviceId: number,
    names: ReleaseNames,
    atMs: EpochMs,
    limits: ServiceLimits,
  ): Promise<Omit<Release, 'folded'>> {
    const kept = await this.#withinLimits(serviceId, names, atMs, limits);
    if (kept.environment !== names.environment)
      throw tooMany('TOO_MANY_ENVIRONMENTS', `${limits.quota.environmentsPerService} environments`);
    if (kept.revision !== names.revision)
      throw tooMany('TOO_MANY_RELEASES', `${limits.quota.releasesPerService} releases within a day`);
    return this.#make(serviceId, kept, atMs);
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#roomForEnvironments.forget();
    this.#roomForReleases.forget();
  }

  /** Makes nothing yet. */
  async #withinLimits(serviceId: number, names: ReleaseNames, atMs: EpochMs, { quota }: ServiceLimits): Promise<ReleaseNames> {
    const isEnvironmentKept =
      names.environment === OTHER ||
      (await this.environments.existsBy({ serviceId, name: names.environment })) ||
      (await this.#roomForEnvironments.take(serviceId, names.environment, {
        max: quota.environmentsPerService,
        countRows: () => this.environments.countBy({ serviceId, name: Not(OTHER) }),
      }));
    const environment = isEnvironmentKept ? names.environment : OTHER;
    const isRevisionKept =
      NO_REVISIONS.includes(names.revision) ||
      (await this.#isKnown(serviceId, environment, names.revision)) ||
      (await this.#roomForReleases.take(serviceId, JSON.stringify([environment, names.revision]), {
        max: quota.releasesPerService,
        countRows: () => this.#countReleases(serviceId),
        hiddenMs: hiddenMs(atMs),
      }));
    return isRevisionKept ? { ...names, environment } : { environment, revision: OTHER, version: '' };
  }

  /** Each release has a deploy, announced or seen. */
  async #isKnown(serviceId: number, environment: string, revision: string): Promise<boolean> {
    const rows = (await this.revisions.query(
      `SELECT FROM deploy
       JOIN environment ON environment.service_id = deploy.service_id AND environment.id = deploy.environment_id
       JOIN revision ON revision.service_id = deploy.service_id AND revision.id = deploy.revision_id
       WHERE deploy.service_id = $1 AND environment.name = $2 AND revision.name = $3 LIMIT 1`,
      [serviceId, environment, revision],
    )) as unknown[];
    return rows.length > 0;
  }

  /** Heard of or deployed within a day. */
  async #countReleases(serviceId: number): Promise<number> {
    const rows = (await this.revisions.query(
      `SELECT count(*) AS n FROM (
         SELECT environment_id, revision_id FROM process WHERE service_id = $1 AND last_seen_ms > $2
         UNION SELECT environment_id, revision_id FROM deploy WHERE service_id = $1 AND at_ms > $2) AS release
       WHERE revision_id NOT IN (SELECT id FROM revision WHERE service_id = $1 AND name = ANY ($3::text[]))`,
      [serviceId, Date.now() - DAY_MS, NO_REVISIONS],
    )) as { n: number }[];
    return rows[0]!.n;
  }

  async #make(
    serviceId: number,
    { environment, revision, version }: ReleaseNames,
    atMs: EpochMs,
  ): Promise<Omit<Release, 'folded'>> {
    return {
      environmentId: await this.#ensureEnvironment(serviceId, environment),
      revisionId: await this.#ensureRevision(serviceId, revision, version, atMs),
    };
  }

  async #ensureEnvironment(serviceId: number, name: string): Promise<number> {
    const found = await this.environments.findOneBy({ serviceId, name });
    if (found !== null) return found.id;
    await this.environments.createQueryBuilder().insert().values({ serviceId, name }).orIgnore().execute();
    return (await this.environments.findOneByOrFail({ serviceId, name })).id;
  }

  async #ensureRevision(serviceId: number, name: string, version: string, atMs: EpochMs): Promise<number> {
    const found = await this.revisions.findOneBy({ serviceId, name });
    if (found !== null) return found.id;
    await this.revisions
      .createQueryBuilder()
      .insert()
      .values({ serviceId, name, version, firstSeenMs: atMs, lastSeenMs: atMs })
      .orIgnore()
      .execute();
    return (await this.revisions.findOneByOrFail({ serviceId, name })).id;
  }

  /** A deploy that nobody announced shows at the first batch of its revision. */
  async #recordSeenDeploy(
    serviceId: number,
    { environmentId, revisionId }: Omit<Release, 'folded'>,
    version: string,
    atMs: EpochMs,
  ): Promise<void> {
    await this.revisions.query(
      `INSERT INTO deploy (service_id, environment_id, revision_id, at_ms, version, branch, source)
       SELECT $1, $2, $3, $4, $5, '', 'seen'
       WHERE NOT EXISTS (SELECT FROM deploy WHERE service_id = $1 AND environment_id = $2 AND revision_id = $3)
       ON CONFLICT DO NOTHING`,
      [serviceId, environmentId, revisionId, atMs, version],
    );
  }
}

function tooMany(code: string, what: string): HearthError {
  return new HearthError(code, `the service has ${what} already; a new one is not added: PUT /api/v1/limits gives it more`);
}
