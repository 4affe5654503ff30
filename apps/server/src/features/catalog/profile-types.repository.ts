import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { PROFILE_TYPE_IDS, type ProfileTypeId } from '@hearth/profile-model';
import { Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { ProfileTypeEntity } from './profile-type.entity.js';

export interface ProfileTypeRow {
  readonly id: number;
  readonly typeId: ProfileTypeId;
}

/** A stranger's files may make up types; all services share the numbers. */
const MAX_TYPES = 2_000;
/** So that one service does not use them up. */
const MAX_TYPES_OF_SERVICE = 50;
/** Neither bound holds for what our agents send: no stranger can shut them out. */
const OWN_TYPES: readonly ProfileTypeId[] = Object.values(PROFILE_TYPE_IDS);

/** Profile types, and which service has sent which. */
@Injectable()
export class ProfileTypes {
  readonly #idByTypeId = new Map<ProfileTypeId, number>();
  readonly #sent = new Set<string>();

  constructor(@InjectRepository(ProfileTypeEntity) readonly table: Repository<ProfileTypeEntity>) {}

  /** What the service has sent. */
  async ofService(serviceId: number): Promise<ProfileTypeRow[]> {
    return (await this.table.query(
      `SELECT profile_type.id, type_id AS "typeId" FROM service_profile_type JOIN profile_type ON profile_type.id = profile_type_id
       WHERE service_id = $1 ORDER BY profile_type.id`,
      [serviceId],
    )) as ProfileTypeRow[];
  }

  /** Numbers of the types, each marked as sent by the service. @throws {HearthError} `TOO_MANY_PROFILE_TYPES` */
  async ensure(serviceId: number, typeIds: readonly ProfileTypeId[]): Promise<number[]> {
    const ids: number[] = [];
    for (const typeId of typeIds) {
      const known = this.#idByTypeId.get(typeId);
      if (known !== undefined && this.#sent.has(`${serviceId} ${known}`)) {
        ids.push(known);
        continue;
      }
      // First, so that a type that is refused takes no number.
      if (!OWN_TYPES.includes(typeId)) await this.#assertRoom(serviceId, typeId);
      const id = known ?? (await this.#learn(typeId));
      await this.table.query('INSERT INTO service_profile_type VALUES ($1, $2) ON CONFLICT DO NOTHING', [serviceId, id]);
      this.#sent.add(`${serviceId} ${id}`);
      ids.push(id);
    }
    return ids;
  }

  /** Nothing is known any more: the database is not what it was. */
  forget(): void {
    this.#idByTypeId.clear();
    this.#sent.clear();
  }

  async #assertRoom(serviceId: number, typeId: ProfileTypeId): Promise<void> {
    const others = (await this.ofService(serviceId)).filter((row) => !OWN_TYPES.includes(row.typeId));
    if (others.length < MAX_TYPES_OF_SERVICE || others.some((row) => row.typeId === typeId)) return;
    throw new HearthError(
      'TOO_MANY_PROFILE_TYPES',
      `the service has ${MAX_TYPES_OF_SERVICE} profile types of its own already; ${typeId} is not added`,
    );
  }

  async #learn(typeId: ProfileTypeId): Promise<number> {
    let row = await this.table.findOneBy({ typeId });
    if (row === null) {
      if (!OWN_TYPES.includes(typeId) && (await this.table.count()) >= MAX_TYPES)
        throw new HearthError('TOO_MANY_PROFILE_TYPES', `there are ${MAX_TYPES} profile types already; ${typeId} is not added`);
      await this.table.createQueryBuilder().insert().values({ typeId }).orIgnore().execute();
      row = await this.table.findOneByOrFail({ typeId });
    }
    this.#idByTypeId.set(typeId, row.id);
    return row.id;
  }
}
