import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Guard } from '../safety/guard.js';

/** Fastify 4 and 5 say here that an instance is made, before it has any routes. */
const INITIALIZATION = 'fastify.initialization';
/** Fastify 5 says here which route it runs: for instances that were made before the agent started. */
const HANDLER_START = 'tracing:fastify.request.handler:start';

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly is404?: boolean;
  /** The route with its prefix. Absent before 4.10. */
  readonly routeOptions?: { readonly url?: string; readonly handler?: unknown };
  readonly routerPath?: string;
}

interface FastifyInstance {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: () => void) => void): unknown;
}

/** Calls `onRoute` with the route of each request, and what gives its handler, as soon as Fastify has found it. @returns What ends it. */
export function followFastifyRoutes(
  guard: Guard,
  onRoute: (request: IncomingMessage, route: string, handler: () => unknown) => void,
): () => void {
  let isEnded = false;
  const tell = (request: FastifyRequest, route: unknown): void => {
    if (!isEnded && typeof route === 'string' && route !== '') onRoute(request.raw, route, () => request.routeOptions?.handler);
  };
  const made = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    // The first hook of all: what a later one refuses is named too.
    const hook = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
      guard.run(() => tell(request, routeOf(request)), undefined);
      done();
    };
    guard.run(() => void fastify.addHook('onRequest', hook), undefined);
  };
  const handled = (message: unknown): void => {
    const { request, route } = message as { request: FastifyRequest; route: { url?: unknown } };
    guard.run(() => tell(request, route?.url), undefined);
  };
  subscribe(INITIALIZATION, made);
  subscribe(HANDLER_START, handled);
  return () => {
    isEnded = true;
    unsubscribe(INITIALIZATION, made);
    unsubscribe(HANDLER_START, handled);
  };
}

function routeOf({ is404, routeOptions, routerPath }: FastifyRequest): string | undefined {
  return is404 === true ? undefined : routeOptions === undefined ? routerPath : routeOptions.url;
}
