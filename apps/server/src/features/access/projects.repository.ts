import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ProjectEntity } from './project.entity.js';

export type Project = Pick<ProjectEntity, 'id' | 'name'>;

@Injectable()
export class Projects {
  constructor(@InjectRepository(ProjectEntity) readonly table: Repository<ProjectEntity>) {}

  /** The default project first. */
  async list(): Promise<Project[]> {
    return this.table.find({ order: { id: 'ASC' } });
  }

  async find(id: number): Promise<Project | null> {
    return this.table.findOneBy({ id });
  }

  /** The project of that name, made if there is none; two servers may ask at once. */
  async ensure(name: string): Promise<Project> {
    await this.table.createQueryBuilder().insert().values({ name, createdMs: Date.now() }).orIgnore().execute();
    return this.table.findOneByOrFail({ name });
  }
}
