import { Injectable } from '@nestjs/common';
import type { SessionAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { projectAnswer } from './administration.js';
import type { Caller } from './authorised.js';
import { Projects } from './projects.repository.js';
import { Users, type User } from './users.repository.js';

/** Sessions of users. */
@Injectable()
export class SignIn {
  constructor(
    readonly users: Users,
    readonly projects: Projects,
  ) {}

  /** @returns The token for the cookie, and what the page shows. @throws {HearthError} `SIGN_IN_REFUSED` 401 */
  async begin(email: string, password: string): Promise<{ token: string; answer: SessionAnswer }> {
    const user = await this.users.withPassword(email, password);
    if (user === undefined) throw new HearthError('SIGN_IN_REFUSED', 'no user with this address and password', { status: 401 });
    return { token: await this.users.startSession(user), answer: await this.#answer(user) };
  }

  /** @throws {HearthError} `UNAUTHENTICATED` 401 for a key */
  async current(caller: Caller): Promise<SessionAnswer> {
    if (!('user' in caller)) throw new HearthError('UNAUTHENTICATED', 'a key has no session: sign in', { status: 401 });
    return this.#answer(caller.user);
  }

  async end(token: string): Promise<void> {
    await this.users.endSession(token);
  }

  async #answer({ email, role }: User): Promise<SessionAnswer> {
    return { user: { email, role }, projects: (await this.projects.list()).map(projectAnswer) };
  }
}
