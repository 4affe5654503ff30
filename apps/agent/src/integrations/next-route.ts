import type { IncomingMessage } from 'node:http';

/** Under which Next.js keeps on a request what it knows of it. */
const REQUEST_META = Symbol.for('NextInternalRequestMeta');

interface NextRequest extends IncomingMessage {
  readonly [REQUEST_META]?: { readonly match?: { readonly definition?: { readonly pathname?: unknown } } | null };
}

/** Next.js' own pages for what has none: they are no routes. */
const NOT_A_ROUTE = new Set(['/_not-found', '/_error', '/_global-error', '/404', '/500']);

/** The route that Next.js matched, as its files are named: `/orders/[id]`, of both routers. `undefined` where none was, as for files. */
export function nextRoute(request: IncomingMessage): string | undefined {
  const pathname = (request as NextRequest)[REQUEST_META]?.match?.definition?.pathname;
  return typeof pathname === 'string' && !NOT_A_ROUTE.has(pathname) ? pathname : undefined;
}
