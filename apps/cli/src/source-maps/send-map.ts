import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SourceMapAnswer } from '@hearth/query-contract';
import type { FoundMap } from './find-maps.js';

export interface Server {
  readonly url: URL;
  readonly key: string;
}

/** What keeps every other map from being sent too. */
export type SendObstacle = 'server-away' | 'server-busy' | 'no-hearth-server' | 'key-refused';

export type SendResult =
  | { readonly answer: SourceMapAnswer }
  | {
      readonly code: string;
      readonly why: string;
      /** Absent: it is of this map only. */
      readonly obstacle?: SendObstacle;
    };

/** Of a server that does not answer. */
const AWAY_TRIES = 5;
const TIMEOUT_MS = 120_000;
/** How long a busy server is asked again. */
const PATIENCE_MS = 120_000;
/** Between two tries, where the server does not say how long. */
const MAX_STEP_MS = 8_000;
const OUTCOMES = new Set<unknown>(['stored', 'unchanged', 'replaced'] satisfies SourceMapAnswer['outcome'][]);
const REFUSED = new Set([401, 403]);
/** With what stands before it: a proxy says so while the server starts. */
const BUSY = new Set([429, 502, 503, 504]);
const compress = promisify(gzip);

interface Attempt {
  readonly result: SendResult;
  /** After which it may be tried again; `undefined`: that would change nothing. */
  readonly retryMs?: number;
}

/** Sends one map, as often as the server asks to be asked again, for up to two minutes. Throws nothing. */
export async function sendMap(
  { url, key }: Server,
  { service, revision }: { readonly service: string; readonly revision: string },
  { file, bytes }: FoundMap,
): Promise<SendResult> {
  const target = new URL(`${url.pathname.replace(/\/+$/, '')}/api/v1/source-maps`, url);
  target.search = new URLSearchParams({ service, revision, file }).toString();
  const body = new Uint8Array(await compress(bytes));
  const untilMs = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    const { result, retryMs } = await sendOnce(target, key, body);
    if (retryMs === undefined || (obstacleOf(result) === 'server-away' && attempt === AWAY_TRIES)) return result;
    const waitMs = Math.max(retryMs, Math.min(MAX_STEP_MS, 250 * 2 ** attempt));
    if (performance.now() + waitMs > untilMs) return result;
    await sleep(waitMs);
  }
}

export function obstacleOf(result: SendResult | undefined): SendObstacle | undefined {
  return result === undefined || 'answer' in result ? undefined : result.obstacle;
}

async function sendOnce(target: URL, key: string, body: Uint8Array<ArrayBuffer>): Promise<Attempt> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(target, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error', // the key is for this server
    });
    // One that refuses may close the connection: its status says enough.
    text = await response.text().catch((error: unknown) => (response.ok ? Promise.reject(error as Error) : ''));
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    const why = `no answer from ${target.origin} (${reason}): is it running, and is --url right?`;
    return { result: { code: 'SERVER_AWAY', why, obstacle: 'server-away' }, retryMs: 0 };
  }
  const json = parsedJson(text);
  if (response.ok && isAnswer(json)) return { result: { answer: json } };
  const isProblem = typeof json?.['code'] === 'string';
  if (response.ok || (response.status === 404 && !isProblem)) {
    const why = `${target.origin} is no Hearth server (it answered ${response.status})`;
    return { result: { code: 'NO_HEARTH_SERVER', why, obstacle: 'no-hearth-server' } };
  }
  const code = isProblem ? String(json['code']) : `HTTP_${response.status}`;
  const why = typeof json?.['detail'] === 'string' ? json['detail'] : text.slice(0, 200);
  if (REFUSED.has(response.status)) return { result: { code, why, obstacle: 'key-refused' } };
  if (!BUSY.has(response.status)) return { result: { code, why } };
  const retrySeconds = Number(response.headers.get('retry-after') ?? 0);
  return { result: { code, why, obstacle: 'server-busy' }, retryMs: Number.isFinite(retrySeconds) ? retrySeconds * 1_000 : 0 };
}

function parsedJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Anything may answer at a wrong address. */
function isAnswer(json: object | undefined): json is SourceMapAnswer {
  const { outcome, sources } = (json ?? {}) as Partial<SourceMapAnswer>;
  return OUTCOMES.has(outcome) && typeof sources === 'number';
}
