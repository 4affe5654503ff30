import { Injectable } from '@nestjs/common';
import type { ApiKeyAnswer, SessionAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { ApiKeys, type ApiKey, type ApiKeyKind } from './api-keys.repository.js';
import type { Caller } from './authorised.js';
import { Projects, type Project } from './projects.repository.js';

export type ProjectAnswer = SessionAnswer['projects'][number];

/** Projects and their keys, as the API shows them. */
@Injectable()
export class Administration {
  constructor(
    readonly projects: Projects,
    readonly apiKeys: ApiKeys,
  ) {}

  /** A key sees its own project, a user all. */
  async listProjects(caller: Caller, projectId: number): Promise<ProjectAnswer[]> {
    return (await this.projects.list()).filter(({ id }) => 'user' in caller || id === projectId).map(projectAnswer);
  }

  /** One of that name stays as it is. */
  async createProject(name: string): Promise<ProjectAnswer> {
    return projectAnswer(await this.projects.ensure(name));
  }

  async listKeys(projectId: number): Promise<ApiKeyAnswer[]> {
    return (await this.apiKeys.list(projectId)).map(keyAnswer);
  }

  /** The only answer that shows the key. */
  async createKey(projectId: number, name: string, kind: ApiKeyKind): Promise<ApiKeyAnswer> {
    const made = await this.apiKeys.create(projectId, name, kind);
    return { ...keyAnswer(made), key: made.key };
  }

  /** @throws {HearthError} `API_KEY_NOT_FOUND` */
  async deleteKey(projectId: number, id: string): Promise<void> {
    const isDeleted = /^\d{1,15}$/.test(id) && (await this.apiKeys.delete(projectId, Number(id)));
    if (!isDeleted) throw new HearthError('API_KEY_NOT_FOUND', 'this project has no key of this id', { status: 404 });
  }
}

export function projectAnswer({ id, name }: Project): ProjectAnswer {
  return { id: String(id), name };
}

function keyAnswer({ id, name, kind, prefix, createdMs, lastUsedMs }: ApiKey): ApiKeyAnswer {
  return { id: String(id), name, kind, prefix, createdMs, lastUsedMs };
}
