import type { DurationMs, EpochMs } from '@hearth/profile-model';
import { parseRetryAfter } from './retry-policy.js';

/** What an answer of the server means for the batch that was sent. */
export type Verdict =
  /** Stored for good. `body` may ask for something. */
  | { readonly kind: 'stored'; readonly body: unknown }
  /** It would be refused again: drop it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** A person has to change something: keep trying, slowly. */
  | { readonly kind: 'key-refused' | 'wrong-address'; readonly reason: string }
  | { readonly kind: 'try-later'; readonly reason: string; readonly retryAfterMs: DurationMs | undefined };

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** Too early, too many, or a time-out on the way: the same batch may be welcome later. */
const LATER_STATUSES = new Set([408, 425, 429]);

export function verdictOf(answer: Answer, nowMs: EpochMs): Verdict {
  return refusalOf(answer, nowMs) ?? verdictOfBody(answer);
}

/** @returns `undefined` where the status is one of success: then its body says more. */
export function refusalOf(answer: Answer, nowMs: EpochMs): Exclude<Verdict, { kind: 'stored' }> | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  const reason = `HTTP ${status}${codeOf(answer.body)}`;
  if (status === 401 || status === 403) return { kind: 'key-refused', reason };
  if (status >= 500 || LATER_STATUSES.has(status))
    return { kind: 'try-later', reason, retryAfterMs: parseRetryAfter(answer.retryAfter, nowMs) };
  if (status < 400 || status === 404 || status === 405) return { kind: 'wrong-address', reason };
  return { kind: 'refused', reason };
}

/** Only an answer of ours acknowledges: a proxy or a log-in page says 200 too. */
function verdictOfBody({ status, body }: Answer): Verdict {
  const json = parseJson(body) as { accepted?: unknown; duplicates?: unknown; rejected?: unknown } | undefined;
  if (typeof json?.accepted !== 'number') return { kind: 'wrong-address', reason: `HTTP ${status} that is no answer of Hearth` };
  const rejected: unknown = Array.isArray(json.rejected) ? json.rejected[0] : undefined;
  if (rejected === undefined) return { kind: 'stored', body: json };
  const code = (rejected as { code?: unknown } | null)?.code;
  return { kind: 'refused', reason: typeof code === 'string' ? code.slice(0, 100) : 'rejected' };
}

function codeOf(body: string): string {
  const code = (parseJson(body) as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? ` ${code.slice(0, 100)}` : '';
}

/** `undefined`: it is no object. */
export function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
