import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

/** Fastify 5 says here which route it runs, with its prefix. */
const HANDLER_START = 'tracing:fastify.request.handler:start';

interface FastifyHandlerStart {
  readonly request: { readonly raw: IncomingMessage };
  readonly route: { readonly url?: string };
}

/** Calls `onRoute` with the route of each request that Fastify handles. @returns What ends it. */
export function followFastifyRoutes(onRoute: (request: IncomingMessage, route: string) => void): () => void {
  const listener = (message: unknown): void => {
    const { request, route } = message as FastifyHandlerStart;
    if (typeof route?.url === 'string' && route.url !== '') onRoute(request.raw, route.url);
  };
  subscribe(HANDLER_START, listener);
  return () => void unsubscribe(HANDLER_START, listener);
}
