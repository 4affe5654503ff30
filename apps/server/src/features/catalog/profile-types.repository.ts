import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { ProfileTypeId } from '@hearth/profile-model';
import { Repository } from 'typeorm';
import { HearthError } from '../../platform/http/index.js';
import { ProfileTypeEntity } from './profile-type.entity.js';

export interface ProfileTypeRow {
  readonly id: number;
  readonly typeId: ProfileTypeId;
}

/** A stranger's files may make up types; all services share the numbers. */
const MAX_TYPES = 2_000;

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
    for (const typeId of typeIds) {
      if (!this.#idByTypeId.has(typeId)) await this.#learn(typeId);
      const id = this.#idByTypeId.get(typeId)!;
      const sent = `${serviceId} ${id}`;
      if (this.#sent.has(sent)) continue;
      await this.table.query('INSERT INTO service_profile_type VALUES ($1, $2) ON CONFLICT DO NOTHING', [serviceId, id]);
      this.#sent.add(sent);
    }
    return typeIds.map((typeId) => this.#idByTypeId.get(typeId)!);
  }

  async #learn(typeId: ProfileTypeId): Promise<void> {
    let row = await this.table.findOneBy({ typeId });
    if (row === null) {
      if ((await this.table.count()) >= MAX_TYPES)
        throw new HearthError('TOO_MANY_PROFILE_TYPES', `there are ${MAX_TYPES} profile types already; ${typeId} is not added`);
      await this.table.createQueryBuilder().insert().values({ typeId }).orIgnore().execute();
      row = await this.table.findOneByOrFail({ typeId });
    }
    this.#idByTypeId.set(typeId, row.id);
  }
}
