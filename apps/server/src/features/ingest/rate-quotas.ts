import type { EpochMs } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';
import type { Quota } from '../limits/index.js';

const MINUTE_MS = 60_000;

type Rate = 'profilesPerMinute' | 'bytesPerMinute';
const RATES: readonly Rate[] = ['profilesPerMinute', 'bytesPerMinute'];

/** What is left of one rate. Negative: more was taken than there was, and the next ones wait until it is paid back. */
interface Account {
  left: number;
  atMs: EpochMs;
}

/**
 * What each project may still send, in this process: the quota of a minute, which fills again all the time. What a body holds is known only after it was
 * read, so it is taken then, and a body is let in while anything is left.
 */
export class RateQuotas {
  readonly #accounts: Record<Rate, Map<number, Account>> = { profilesPerMinute: new Map(), bytesPerMinute: new Map() };

  /** @throws {HearthError} `QUOTA_SPENT` 429, with the time after which something is left */
  assertLeft(projectId: number, quota: Quota, nowMs: EpochMs): void {
    for (const rate of RATES) {
      const perMinute = quota[rate];
      if (perMinute === null) continue;
      const { left } = this.#account(rate, projectId, perMinute, nowMs);
      if (left >= 1) continue;
      throw new HearthError(
        'QUOTA_SPENT',
        `the project has sent the ${perMinute} ${rate === 'bytesPerMinute' ? 'bytes' : 'profiles'} a minute of its quota: send again later`,
        { status: 429, retryAfterSeconds: Math.max(1, Math.ceil(((1 - left) / perMinute) * 60)) },
      );
    }
  }

  take(projectId: number, quota: Quota, rate: Rate, amount: number, nowMs: EpochMs): void {
    const perMinute = quota[rate];
    if (perMinute !== null) this.#account(rate, projectId, perMinute, nowMs).left -= amount;
  }

  #account(rate: Rate, projectId: number, perMinute: number, nowMs: EpochMs): Account {
    const account = this.#accounts[rate].get(projectId) ?? { left: perMinute, atMs: nowMs };
    account.left = Math.min(perMinute, account.left + ((nowMs - account.atMs) / MINUTE_MS) * perMinute);
    account.atMs = nowMs;
    this.#accounts[rate].set(projectId, account);
    return account;
  }
}
