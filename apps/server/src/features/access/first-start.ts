import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { ApiKeys } from './api-keys.repository.js';
import { Projects } from './projects.repository.js';
import { newSecret } from './secret.js';
import { Users } from './users.repository.js';

export const DEFAULT_PROJECT = 'default';

/** Makes what nobody could sign in or send without: the default project, the bootstrap key, the first user. Changes nothing later. */
@Injectable()
export class FirstStart implements OnModuleInit {
  constructor(
    @Inject(ENVIRONMENT) readonly environment: Environment,
    readonly projects: Projects,
    readonly apiKeys: ApiKeys,
    readonly users: Users,
  ) {}

  async onModuleInit(): Promise<void> {
    const { bootstrapKey, adminEmail, adminPassword } = this.environment;
    const project = await this.projects.ensure(DEFAULT_PROJECT);
    // Later starts bring back no key that was deleted. The user comes last: a first start that broke off is done again.
    if (await this.users.hasAny()) return;
    if (bootstrapKey !== undefined) await this.apiKeys.ensure(project.id, 'bootstrap', 'admin', bootstrapKey);
    const password = adminPassword ?? newSecret().slice(0, 16);
    const isNew = await this.users.create(adminEmail, password, 'admin');
    // Not through the log, which is often kept and shipped.
    if (isNew && adminPassword === undefined)
      process.stdout.write(`\nHearth: sign in as ${adminEmail} with the password ${password} (shown only now)\n\n`);
  }
}
