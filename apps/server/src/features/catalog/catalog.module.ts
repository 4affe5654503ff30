import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LimitsModule } from '../limits/index.js';
import { Catalog } from './catalog.repository.js';
import { DeployJournal } from './deploy-journal.js';
import { DeployEntity } from './deploy.entity.js';
import { DeploysController } from './deploys.controller.js';
import { Deploys } from './deploys.repository.js';
import { EnvironmentEntity } from './environment.entity.js';
import { LabelSetEntity } from './label-set.entity.js';
import { LabelSets } from './label-sets.repository.js';
import { Origins } from './origins.repository.js';
import { PinnedRevisionEntity } from './pinned-revision.entity.js';
import { PinnedRevisions } from './pinned-revisions.repository.js';
import { ProcessEntity } from './process.entity.js';
import { ProcessStarts } from './process-starts.repository.js';
import { ProfileTypeEntity } from './profile-type.entity.js';
import { ProfileTypes } from './profile-types.repository.js';
import { Releases } from './releases.repository.js';
import { RevisionEntity } from './revision.entity.js';
import { ServiceEntity } from './service.entity.js';

const ENTITIES = [
  ServiceEntity,
  EnvironmentEntity,
  RevisionEntity,
  ProcessEntity,
  LabelSetEntity,
  ProfileTypeEntity,
  DeployEntity,
  PinnedRevisionEntity,
];

@Module({
  imports: [LimitsModule, TypeOrmModule.forFeature(ENTITIES)],
  providers: [Catalog, LabelSets, ProfileTypes, ProcessStarts, PinnedRevisions, Releases, Origins, Deploys],
  exports: [Catalog, LabelSets, ProfileTypes, ProcessStarts, PinnedRevisions, Origins, Deploys],
})
export class CatalogModule {}

/** The routes, for the api role: a worker reads the catalog too, and answers no questions. */
@Module({ imports: [CatalogModule], controllers: [DeploysController], providers: [DeployJournal] })
export class CatalogApiModule {}
