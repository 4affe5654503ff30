import type { IncomingMessage } from 'node:http';
import { sharedAgent } from '../shared-agent.js';

/** What of Koa's context is used: the request, and the route that @koa/router leaves there as it is written, with its prefix. */
export interface KoaContext {
  readonly req: IncomingMessage;
}

/** A middleware, the first of an application: requests are named after the routes of `@koa/router`. It adds nothing to what is done for a request. */
export function nameRoutes(): (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown> {
  const agent = sharedAgent();
  return (context, next) => {
    agent.routeFrom(
      context.req,
      () => matchedRoute(context),
      () => matchedHandler(context),
    );
    return next();
  };
}

function matchedRoute(context: KoaContext & { readonly _matchedRoute?: unknown }): string | undefined {
  const route = context._matchedRoute;
  return typeof route === 'string' || route instanceof RegExp ? String(route) : undefined;
}

/** The last function of the last layer that matches: what of the router's own is on the context, as of 15. */
function matchedHandler(context: KoaContext & { readonly matched?: unknown; readonly _matchedRoute?: unknown }): unknown {
  const layers = context.matched as readonly { readonly path?: unknown; readonly stack?: readonly unknown[] }[] | undefined;
  return layers?.findLast(({ path }) => path === context._matchedRoute)?.stack?.at(-1);
}
