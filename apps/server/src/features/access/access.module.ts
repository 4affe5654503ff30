import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessGuard } from './access.guard.js';
import { Administration } from './administration.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeys } from './api-keys.repository.js';
import { AppUserEntity } from './app-user.entity.js';
import { FirstStart } from './first-start.js';
import { ProjectEntity } from './project.entity.js';
import { ProjectsController } from './projects.controller.js';
import { Projects } from './projects.repository.js';
import { SessionsController } from './sessions.controller.js';
import { SignIn } from './sign-in.js';
import { UserSessionEntity } from './user-session.entity.js';
import { Users } from './users.repository.js';

/** Guesses at a password, for each address that sends them. */
const SIGN_INS = { limit: 10, ttl: 60_000 };

/** Who may do what. The guard stands before every route of the process that imports this. */
@Module({
  imports: [TypeOrmModule.forFeature([ProjectEntity, ApiKeyEntity, AppUserEntity, UserSessionEntity])],
  providers: [Projects, ApiKeys, Users, AccessGuard, { provide: APP_GUARD, useExisting: AccessGuard }],
  exports: [Projects, ApiKeys, Users],
})
export class AccessModule {}

/** The routes, for the api role. */
@Module({
  imports: [AccessModule, ThrottlerModule.forRoot([SIGN_INS])],
  controllers: [SessionsController, ApiKeysController, ProjectsController],
  providers: [Administration, FirstStart, SignIn],
})
export class AccessApiModule {}
