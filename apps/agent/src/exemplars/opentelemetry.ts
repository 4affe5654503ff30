import type { TransactionKind } from '@hearth/wire-format';
import type { TraceIds } from '../transactions/transaction-record.js';

/** Where `@opentelemetry/api` of major version 1 keeps what all its copies in a process share. */
const API = Symbol.for('opentelemetry.js.api.1');
/** Keys of its contexts. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
/** What the instrumentation of `http` says of a request, with the span of the request itself. */
const RPC_METADATA = Symbol.for('OpenTelemetry SDK Context Key RPC_METADATA');

interface OpenTelemetryApi {
  readonly context?: { active?(): OpenTelemetryContext | undefined };
}

interface OpenTelemetryContext {
  getValue(key: symbol): unknown;
}

interface OpenTelemetrySpan {
  spanContext(): { readonly traceId?: unknown; readonly spanId?: unknown };
}

/** Is it in this process? Cheap enough to be asked each time: it may come after the agent. */
export function hasOpenTelemetry(): boolean {
  return (globalThis as Record<symbol, unknown>)[API] !== undefined;
}

/** The trace that is current here, and its span: of a request the one of the request, else the innermost. `undefined` without one. Never throws. */
export function currentTrace(kind: TransactionKind): TraceIds | undefined {
  try {
    const api = (globalThis as Record<symbol, OpenTelemetryApi | undefined>)[API];
    const context = api?.context?.active?.();
    const { traceId, spanId } = (context && spanOf(context, kind))?.spanContext() ?? {};
    return isId(traceId, 32) && isId(spanId, 16) ? { traceId, spanId } : undefined;
  } catch {
    return undefined; // it is the host's code
  }
}

function spanOf(context: OpenTelemetryContext, kind: TransactionKind): OpenTelemetrySpan | undefined {
  const metadata =
    kind === 'http' ? (context.getValue(RPC_METADATA) as { readonly span?: OpenTelemetrySpan } | undefined) : undefined;
  return metadata?.span ?? (context.getValue(SPAN) as OpenTelemetrySpan | undefined);
}

/** Only zeros: none. */
function isId(id: unknown, length: number): id is string {
  return typeof id === 'string' && id.length === length && /^[0-9a-f]+$/.test(id) && !/^0+$/.test(id);
}
