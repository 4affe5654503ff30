import { canonicalFunction, type DurationMs } from '@hearth/profile-model';
import type { BatchProcess } from '@hearth/wire-format';
import type { AgentLog } from '../safety/agent-log.js';
import { describeError, type Guard } from '../safety/guard.js';
import { parseJson, refusalOf, type Answer } from '../shipping/answer.js';
import { httpPost, type PostTarget } from '../shipping/http-post.js';
import { retryDelayMs } from '../shipping/retry-policy.js';
import { findMap, scriptPath, type FoundMap } from './find-map.js';
import { MapUnreadableError, postMap } from './post-map.js';
import { rest } from './rest.js';

/** Looked at in the life of a process. */
const MAX_SCRIPTS = 2_000;
/** Sent in the life of a process: a bundle has a few. */
export const MAX_MAPS = 200;
/** After the end of a period, when its batch is on its way. */
const START_MS: DurationMs = 500;
/** Between two scripts. */
const SCRIPT_REST_MS: DurationMs = 20;
const CLAIMED_AT_ONCE = 100;
/** Of the name of a generated file. */
const MAX_FILE_LENGTH = 1_000;
const CLAIM_TIMEOUT_MS: DurationMs = 10_000;
const MAX_TRIES = 5;
/** A claim lasts ten minutes, ours too: then what another process was to send, or we could not, is asked for again. */
const ASK_AGAIN_MS: DurationMs = 11 * 60_000;
const MAX_ROUNDS = 3;

interface Script {
  readonly path: string;
  /** As its functions are filed: relative to the root. */
  readonly file: string;
}

/** What became of a question: an answer of Hearth, or a refusal for good; `undefined`: nothing for now, or nothing any more. */
type Outcome = { readonly body: object } | { readonly refusal: string } | undefined;

/**
 * Sends the source maps of the scripts that were sampled, where the service allows it: those that the server has not and no other process of the revision
 * is sending, one after the other, slowly, between the flushes.
 */
export class SourceMapSender {
  readonly #target: PostTarget;
  readonly #sources: 'sent' | 'left-out';
  readonly #process: () => BatchProcess;
  readonly #log: AgentLog;
  readonly #guard: Guard;
  /** Of the last batch: what is missed while maps are sent is sampled again. */
  #sampled: readonly string[] = [];
  readonly #looked = new Set<string>();
  #waiting: Script[] = [];
  #askAgainAt = Infinity;
  #rounds = 0;
  #sentCount = 0;
  #isStored = false;
  #isBusy = false;
  #isStopped = false;

  /** @param target - `POST /api/v1/source-maps`. @param process - As it is by then: that it is dirty is found out late. */
  constructor(target: PostTarget, sources: 'sent' | 'left-out', process: () => BatchProcess, log: AgentLog, guard: Guard) {
    this.#target = target;
    this.#sources = sources;
    this.#process = process;
    this.#log = log;
    this.#guard = guard;
  }

  /** @param scriptNames - Of the functions of a batch that is about to be sent. */
  note(scriptNames: readonly string[]): void {
    this.#sampled = scriptNames;
  }

  /** The server has a batch of this process: it knows the service. */
  batchStored(): void {
    this.#isStored = true;
  }

  /** At the end of a period; called where no transaction of the host is current. */
  wake(): void {
    if (this.#isBusy || this.#isStopped || !this.#isStored) return;
    this.#isBusy = true;
    void rest(START_MS)
      .then(() => this.#work())
      .catch(this.#guard.report)
      .finally(() => {
        this.#isBusy = false;
      });
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #work(): Promise<void> {
    const scripts = this.#newScripts();
    if (performance.now() >= this.#askAgainAt) scripts.push(...this.#takeWaiting());
    if (scripts.length === 0 || this.#isStopped) return;
    if (this.#process().isDirty)
      return this.#giveUp('the work tree of this process is dirty, and its maps may be of no other build of the revision');
    const withMap: Script[] = [];
    for (const script of scripts) {
      await rest(SCRIPT_REST_MS);
      if ((await this.#find(script)) !== undefined) withMap.push(script);
      if (this.#isStopped) return;
    }
    while (withMap.length > 0 && !this.#isStopped) {
      const room = MAX_MAPS - this.#sentCount;
      if (room === 0) return this.#giveUp(`this process has sent ${MAX_MAPS} of them, and sends no more`);
      await this.#sendMissing(withMap.splice(0, Math.min(CLAIMED_AT_ONCE, room)));
    }
  }

  /** Of the program itself: maps of packages are not read. */
  #newScripts(): Script[] {
    const scripts: Script[] = [];
    const { rootDir } = this.#process();
    for (const scriptName of this.#sampled) {
      if (this.#looked.has(scriptName) || this.#looked.size >= MAX_SCRIPTS) continue;
      this.#looked.add(scriptName);
      const path = scriptPath(scriptName);
      if (path === undefined) continue;
      const { package: packageName, file } = canonicalFunction({ name: '', scriptName }, rootDir);
      if (packageName === '' && isTaken(file)) scripts.push({ path, file });
    }
    this.#sampled = [];
    return scripts;
  }

  #takeWaiting(): Script[] {
    const scripts = this.#waiting;
    this.#waiting = [];
    this.#askAgainAt = Infinity;
    this.#rounds += 1;
    return scripts;
  }

  #wait(scripts: readonly Script[]): void {
    if (this.#rounds >= MAX_ROUNDS) return;
    this.#waiting.push(...scripts);
    this.#askAgainAt = performance.now() + ASK_AGAIN_MS;
  }

  async #find({ path, file }: Script): Promise<FoundMap | undefined> {
    try {
      const found = await findMap(path, this.#process().rootDir);
      if (found === undefined || !('why' in found)) return found;
      this.#sayNotSent(file, found.why);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ERR_ACCESS_DENIED') this.#giveUp('the permission model of Node forbids to read scripts or their maps');
      else if (code !== 'ENOENT') this.#sayNotSent(file, describeError(error)); // else a script that is no file
    }
    return undefined;
  }

  async #sendMissing(scripts: readonly Script[]): Promise<void> {
    const states = await this.#claim(scripts.map(({ file }) => file));
    if (states === undefined) return this.#wait(scripts);
    this.#wait(scripts.filter((_, at) => states[at] === 'taken'));
    const ours = scripts.filter((_, at) => states[at] === 'claimed');
    for (const [at, script] of ours.entries()) {
      const isOver = await this.#send(script);
      if (this.#isStopped) return;
      if (!isOver) return this.#wait(ours.slice(at)); // it would be the same for the others
    }
  }

  /** @returns The state of each; `undefined`: nobody says. */
  async #claim(files: readonly string[]): Promise<readonly unknown[] | undefined> {
    const { service, revision } = this.#process();
    const body = JSON.stringify({ service, revision, files });
    const target = { ...this.#target, url: new URL(`${this.#target.url.pathname}/claims`, this.#target.url) };
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outcome = await this.#ask(() => httpPost(target, headers, CLAIM_TIMEOUT_MS, (request) => void request.end(body)));
    if (outcome === undefined) return undefined;
    const { states } = ('body' in outcome ? outcome.body : {}) as { states?: unknown };
    if (Array.isArray(states)) return states;
    this.#giveUp('refusal' in outcome ? outcome.refusal : 'the server does not say which it wants');
    return undefined;
  }

  /** @returns Whether no more is to be done about it. */
  async #send(script: Script): Promise<boolean> {
    const { service, revision } = this.#process();
    const url = new URL(this.#target.url);
    url.search = new URLSearchParams({ service, revision, file: script.file }).toString();
    const map = await this.#find(script);
    if (map === undefined) return true;
    const outcome = await this.#ask(() => postMap({ ...this.#target, url }, map, this.#sources, () => this.#isStopped));
    if (outcome === undefined) return false;
    if ('refusal' in outcome) {
      this.#sayNotSent(script.file, outcome.refusal);
      return true;
    }
    this.#sentCount += 1;
    const sources = this.#sources === 'sent' ? 'with' : 'without';
    this.#log.info('AGENT_SOURCE_MAP_SENT', `the source map of ${script.file} is at ${url.origin}, ${sources} its sources`);
    return true;
  }

  async #ask(post: () => Promise<Answer>): Promise<Outcome> {
    for (let tries = 1; !this.#isStopped; tries += 1) {
      const verdict = await this.#verdict(post);
      switch (verdict.kind) {
        case 'stored':
          return { body: verdict.body };
        case 'refused':
          return { refusal: verdict.reason };
        case 'key-refused':
        case 'wrong-address':
          this.#giveUp(`${this.#target.url.origin} answers ${verdict.reason}`);
          return undefined;
        case 'try-later':
          if (tries >= MAX_TRIES) {
            this.#log.warn('AGENT_SOURCE_MAP_NOT_SENT', `source maps are not sent for now: ${verdict.reason}`);
            return undefined;
          }
          await rest(retryDelayMs(tries, verdict.retryAfterMs, Math.random()));
      }
    }
    return undefined;
  }

  async #verdict(
    post: () => Promise<Answer>,
  ): Promise<NonNullable<ReturnType<typeof refusalOf>> | { readonly kind: 'stored'; readonly body: object }> {
    try {
      const answer = await post();
      const refusal = refusalOf(answer, Date.now());
      if (refusal !== undefined) return refusal;
      const body = parseJson(answer.body);
      if (typeof body === 'object' && body !== null) return { kind: 'stored', body };
      return { kind: 'wrong-address', reason: `HTTP ${answer.status} that is no answer of Hearth` };
    } catch (error) {
      if (error instanceof MapUnreadableError) return { kind: 'refused', reason: error.message };
      return { kind: 'try-later', reason: describeError(error), retryAfterMs: undefined };
    }
  }

  #sayNotSent(file: string, why: string): void {
    if (this.#isStopped) return;
    this.#log.warn('AGENT_SOURCE_MAP_NOT_SENT', `the source map of ${file} is not sent: ${why}`);
  }

  #giveUp(why: string): void {
    if (!this.#isStopped) this.#log.warn('AGENT_SOURCE_MAP_NOT_SENT', `source maps are not sent any more: ${why}`);
    this.#isStopped = true;
  }
}

/** A server refuses other names, and all that are asked about with them. */
function isTaken(file: string): boolean {
  return file !== '' && file.length <= MAX_FILE_LENGTH && !/[\\\0]/.test(file);
}
