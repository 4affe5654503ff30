import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { AppUserEntity, type UserRole } from './app-user.entity.js';
import { hashPassword, passwordMatches } from './password.js';
import { hashSecret, newSecret } from './secret.js';
import { UserSessionEntity } from './user-session.entity.js';

export type User = Pick<AppUserEntity, 'id' | 'email' | 'role'>;

export const SESSION_MS = 30 * 86_400_000;
/** Checked when there is no such user, so that the answer takes as long. */
const NOBODYS_HASH = hashPassword(newSecret());

/** Users and their sessions. */
@Injectable()
export class Users {
  constructor(
    @InjectRepository(AppUserEntity) readonly users: Repository<AppUserEntity>,
    @InjectRepository(UserSessionEntity) readonly sessions: Repository<UserSessionEntity>,
  ) {}

  async hasAny(): Promise<boolean> {
    return this.users.exists();
  }

  /** @returns Whether the user is new; of an existing one nothing changes. */
  async create(email: string, password: string, role: UserRole): Promise<boolean> {
    const row = { email: email.toLowerCase(), passwordHash: await hashPassword(password), role, createdMs: Date.now() };
    const { raw } = await this.users.createQueryBuilder().insert().values(row).orIgnore().returning('id').execute();
    return (raw as unknown[]).length === 1;
  }

  /** The user with that password, or `undefined`. */
  async withPassword(email: string, password: string): Promise<User | undefined> {
    const user = await this.users.findOneBy({ email: email.toLowerCase() });
    const matches = await passwordMatches(password, user?.passwordHash ?? (await NOBODYS_HASH));
    return user !== null && matches ? user : undefined;
  }

  /** @returns The token for the cookie. */
  async startSession(user: User): Promise<string> {
    const nowMs = Date.now();
    await this.sessions.delete({ expiresMs: LessThan(nowMs) });
    const token = newSecret();
    await this.sessions.insert({
      tokenHash: hashSecret(token),
      userId: user.id,
      createdMs: nowMs,
      expiresMs: nowMs + SESSION_MS,
    });
    return token;
  }

  async userOfSession(token: string): Promise<User | undefined> {
    const session = await this.sessions.findOneBy({ tokenHash: hashSecret(token) });
    if (session === null || session.expiresMs <= Date.now()) return undefined;
    return (await this.users.findOneBy({ id: session.userId })) ?? undefined;
  }

  async endSession(token: string): Promise<void> {
    await this.sessions.delete({ tokenHash: hashSecret(token) });
  }
}
