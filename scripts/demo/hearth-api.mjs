import { setTimeout as sleep } from 'node:timers/promises';

/** The calls of Hearth's API that the demo makes, with a key of the project. */
export class HearthApi {
  #url;
  #key;

  constructor(url, key) {
    this.#url = url;
    this.#key = key;
  }

  /** Waits until the server can store and queue. @throws when it does not come up in time. */
  async untilReady(withinMs, signal) {
    for (const untilMs = Date.now() + withinMs; ;) {
      const response = await fetch(`${this.#url}/readyz`, { signal }).catch(() => undefined);
      if (response?.ok) return;
      signal?.throwIfAborted();
      if (Date.now() > untilMs)
        throw new Error(
          `Hearth is not ready after ${withinMs / 1000} s: ${response === undefined ? 'no answer' : await response.text()}`,
        );
      await sleep(100);
    }
  }

  createApiKey(name, kind) {
    return this.#call('POST', '/api-keys', { name, kind });
  }

  announceDeploy(deploy) {
    return this.#call('POST', '/deploys', deploy);
  }

  services() {
    return this.#call('GET', '/services');
  }

  /** Asks for a comparison and waits for its result. @param {{ baseline: object, candidate: object }} sides - Selections. */
  async compare(sides, withinMs, signal) {
    const { id } = await this.#call('POST', '/comparisons', sides);
    for (const untilMs = Date.now() + withinMs; ;) {
      const answer = await this.#call('GET', `/comparisons/${id}`, undefined, signal);
      if (answer.status === 'done') return answer;
      if (answer.status === 'failed') throw new Error(`the comparison failed: ${answer.error.code} ${answer.error.message}`);
      if (Date.now() > untilMs) throw new Error(`the comparison is still ${answer.status} after ${withinMs / 1000} s`);
      await sleep(500, undefined, { signal });
    }
  }

  async #call(method, path, body, signal) {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }
}
