import { Injectable } from '@nestjs/common';
import type { HearthError } from '../../platform/http/index.js';

/**
 * Closed while there is a reason to take nothing in, as too many windows that wait to be built. Whoever watches for the reason shuts the gate with the error
 * that senders get (429 or 503, with `Retry-After`: they keep what they have), and opens it again.
 */
@Injectable()
export class IngestGate {
  #reason: HearthError | undefined;

  shut(reason: HearthError): void {
    this.#reason = reason;
  }

  open(): void {
    this.#reason = undefined;
  }

  /** @throws {HearthError} the reason */
  assertOpen(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }
}
