import type { Type } from '@nestjs/common';
import type { Role } from '../config/environment.js';
import { AllModule } from './all.module.js';
import { ApiModule } from './api.module.js';
import { WorkerModule } from './worker.module.js';

/** What a process of each role consists of. */
export const ROLE_MODULES: Record<Role, Type> = { api: ApiModule, worker: WorkerModule, all: AllModule };
