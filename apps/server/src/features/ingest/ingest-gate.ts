import { Injectable } from '@nestjs/common';
import type { HearthError } from '../../platform/http/index.js';

/**
 * Closed while there is a reason to take nothing in, as a disk that is nearly full. Whoever watches for a reason shuts the gate with the error that
 * senders get (429 or 503, with `Retry-After`: they keep what they have), and opens it again.
 */
@Injectable()
export class IngestGate {
  readonly #reasons = new Map<string, HearthError>();

  /** Until `open` of the error's code. */
  shut(reason: HearthError): void {
    this.#reasons.set(reason.code, reason);
  }

  open(code: string): void {
    this.#reasons.delete(code);
  }

  /** @throws {HearthError} the oldest reason */
  assertOpen(): void {
    for (const reason of this.#reasons.values()) throw reason;
  }
}
