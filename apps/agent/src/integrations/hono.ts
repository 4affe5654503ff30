import type { IncomingMessage } from 'node:http';
import { sharedAgent } from '../shared-agent.js';

/** What of Hono's context is used. `env.incoming` is there where `@hono/node-server` serves. */
export interface HonoContext {
  readonly env: unknown;
  readonly req: {
    /** All that match, middleware too, in the order in which they run. */
    readonly matchedRoutes: readonly { readonly path: string; readonly handler?: unknown }[];
    /** The one that runs, or has run last. */
    readonly routeIndex: number;
  };
}

/** A middleware, the first of an application, on `@hono/node-server`: requests are named after its routes. It adds nothing to what is done for a request. */
export function nameRoutes(): (context: HonoContext, next: () => Promise<void>) => Promise<void> {
  const agent = sharedAgent();
  return (context, next) => {
    const { incoming } = Object(context.env) as { incoming?: IncomingMessage };
    if (typeof incoming === 'object' && incoming !== null)
      agent.routeFrom(
        incoming,
        () => matchedRoute(context.req),
        () => context.req.matchedRoutes?.[context.req.routeIndex]?.handler,
      );
    return next();
  };
}

/** `undefined` where nothing but middleware for every path has answered: that is no route. */
function matchedRoute({ matchedRoutes, routeIndex }: HonoContext['req']): string | undefined {
  const path = matchedRoutes?.[routeIndex]?.path;
  return path === '*' || path === '/*' ? undefined : path;
}
