import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Problem, SourceMapAnswer } from '@hearth/query-contract';
import type { FoundMap } from './find-maps.js';

export interface Server {
  readonly url: URL;
  readonly key: string;
}

export type SendResult = { readonly answer: SourceMapAnswer } | { readonly code: string; readonly why: string };

const TRIES = 5;
const TIMEOUT_MS = 120_000;
const MAX_WAIT_MS = 30_000;
const compress = promisify(gzip);

/** Sends one map, as often as the server asks to be asked again. Throws nothing. */
export async function sendMap(
  { url, key }: Server,
  { service, revision }: { readonly service: string; readonly revision: string },
  { file, bytes }: FoundMap,
): Promise<SendResult> {
  const target = new URL(`${url.pathname.replace(/\/+$/, '')}/api/v1/source-maps`, url);
  target.search = new URLSearchParams({ service, revision, file }).toString();
  const body = new Uint8Array(await compress(bytes));
  let last: SendResult = { code: 'SERVER_AWAY', why: '' };
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const sent = await sendOnce(target, key, body);
    if (!('retryMs' in sent)) return sent;
    last = sent;
    if (attempt < TRIES) await sleep(Math.min(MAX_WAIT_MS, Math.max(sent.retryMs, 250 * 2 ** attempt)));
  }
  return { code: last.code, why: last.why };
}

async function sendOnce(
  target: URL,
  key: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<SendResult | { readonly code: string; readonly why: string; readonly retryMs: number }> {
  let response: Response;
  try {
    response = await fetch(target, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error', // the key is for this server
    });
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    return {
      code: 'SERVER_AWAY',
      why: `no answer from ${target.origin} (${reason}): is it running, and is --url right?`,
      retryMs: 0,
    };
  }
  const text = await response.text().catch(() => '');
  const json = parsedJson(text);
  if (response.ok && json !== undefined) return { answer: json as SourceMapAnswer };
  const { code = `HTTP_${response.status}`, detail = text.slice(0, 200) } = (json ?? {}) as Partial<Problem>;
  const why = response.status === 404 && json === undefined ? `${target.origin} is no Hearth server` : detail;
  if (response.status !== 429 && response.status !== 503) return { code, why };
  return { code, why, retryMs: Number(response.headers.get('retry-after') ?? 0) * 1_000 };
}

function parsedJson(text: string): object | undefined {
  try {
    const json = JSON.parse(text) as unknown;
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
