import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThan, Repository } from 'typeorm';
import { ApiKeyEntity, type ApiKeyKind } from './api-key.entity.js';
import { hashSecret, newSecret } from './secret.js';

export type ApiKey = Omit<ApiKeyEntity, 'keyHash'>;
export type { ApiKeyKind } from './api-key.entity.js';

/** Every batch shows a key: it is looked up once in this time. A deleted key works on other servers for as long. */
const REMEMBERED_MS = 10_000;
const REMEMBERED_KEYS = 10_000;
const LAST_USED_GRAIN_MS = 60_000;
const PREFIX_CHARACTERS = 10;

@Injectable()
export class ApiKeys {
  readonly #remembered = new Map<string, { key: ApiKey; untilMs: number }>();

  constructor(@InjectRepository(ApiKeyEntity) readonly table: Repository<ApiKeyEntity>) {}

  /** @returns The key in clear: the only time that it can be seen. */
  async create(projectId: number, name: string, kind: ApiKeyKind): Promise<ApiKey & { key: string }> {
    const key = `hearth_${newSecret()}`;
    const row = {
      projectId,
      name,
      kind,
      keyHash: hashSecret(key),
      prefix: key.slice(0, PREFIX_CHARACTERS),
      createdMs: Date.now(),
      lastUsedMs: null,
    };
    const { identifiers } = await this.table.insert(row);
    return { ...row, id: Number(identifiers[0]!.id), key };
  }

  /** Makes `key` a key of the project, unless it is one already. */
  async ensure(projectId: number, name: string, kind: ApiKeyKind, key: string): Promise<void> {
    const row = {
      projectId,
      name,
      kind,
      keyHash: hashSecret(key),
      prefix: key.slice(0, 4),
      createdMs: Date.now(),
      lastUsedMs: null,
    };
    await this.table.createQueryBuilder().insert().values(row).orIgnore().execute();
  }

  async list(projectId: number): Promise<ApiKey[]> {
    return this.table.find({ where: { projectId }, order: { id: 'ASC' } });
  }

  /** @returns Whether there was such a key. */
  async delete(projectId: number, id: number): Promise<boolean> {
    this.#remembered.clear();
    return (await this.table.delete({ projectId, id })).affected === 1;
  }

  /** The key behind the text that a client showed; `undefined`: nobody's. */
  async recognise(shown: string): Promise<ApiKey | undefined> {
    const hash = hashSecret(shown);
    const nowMs = Date.now();
    const remembered = this.#remembered.get(hash.toString('base64'));
    if (remembered !== undefined && remembered.untilMs > nowMs) return remembered.key;
    const key = await this.table.findOneBy({ keyHash: hash });
    if (key === null) return undefined;
    if (this.#remembered.size >= REMEMBERED_KEYS) this.#remembered.clear();
    this.#remembered.set(hash.toString('base64'), { key, untilMs: nowMs + REMEMBERED_MS });
    await this.table.update(
      [
        { id: key.id, lastUsedMs: IsNull() },
        { id: key.id, lastUsedMs: LessThan(nowMs - LAST_USED_GRAIN_MS) },
      ],
      { lastUsedMs: nowMs },
    );
    return key;
  }
}
