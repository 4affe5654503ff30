import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome } from '@hearth/wire-format';
import { hasOpenTelemetry } from '../exemplars/opentelemetry.js';
import { expressHandler, expressMount, expressRoute } from '../integrations/express-route.js';
import { followFastifyRoutes } from '../integrations/fastify-route.js';
import { nextRoute } from '../integrations/next-route.js';
import type { Guard } from '../safety/guard.js';
import { RouteNames } from './route-names.js';
import type { Transaction } from './transaction.js';
import type { TransactionTracker } from './transaction-tracker.js';

/** Published with the request before its handler is called, in the same synchronous call. */
const REQUEST_START = 'http.server.request.start';
/** A request that no framework has a route for; never the raw URL, which would be a name per visitor. */
const NO_ROUTE = '(no route)';

/** What a framework says of a request: its route as it is written, or what finds it once it is known. */
export type RouteOfRequest = string | (() => string | undefined);

/** Where it is kept: a WeakMap beside the requests costs more than all else that is done for one. */
const ROUTE = Symbol('hearth.route');
const HANDLER = Symbol('hearth.handler');
interface Routed {
  [ROUTE]?: RouteOfRequest;
  [HANDLER]?: () => unknown;
}

export interface FollowedHttpServers {
  /** For frameworks that leave no route on the request. The last one said holds. @param handler - Gives the function that handles it, once the route is known */
  routeFrom(request: object, route: RouteOfRequest, handler?: () => unknown): void;
  end(): void;
}

/** Makes every incoming HTTP request a transaction, named after its route. */
export function followHttpServers(tracker: TransactionTracker, guard: Guard): FollowedHttpServers {
  const names = new RouteNames();
  const routeFrom = (request: object, route: RouteOfRequest, handler?: () => unknown): void => {
    (request as Routed)[ROUTE] = route;
    if (tracker.handlers !== undefined && handler !== undefined) (request as Routed)[HANDLER] = handler;
  };

  function nameOf(request: IncomingMessage & Routed, transaction: Transaction): string | undefined {
    const said = request[ROUTE];
    const route =
      (typeof said === 'function' ? said() : said) ??
      nextRoute(request) ??
      expressRoute(request) ??
      // A mount path may hold what was asked for; of GraphQL there is one, and its operation says that this is it.
      (transaction.operation === undefined ? undefined : expressMount(request));
    if (route === undefined) return undefined;
    const name = names.of(request.method, route, transaction.operation);
    const { handlers } = tracker;
    if (handlers?.wants(name) === true)
      guard.run(
        () => handlers.note(name, said === undefined ? expressHandler(request) : request[HANDLER]?.(), 'http'),
        undefined,
      );
    return name;
  }

  /** OpenTelemetry's span of the request begins after our start. The handler ends the answer in its own context, unless it has lost it, and ours with it. */
  function followTrace(transaction: Transaction, response: ServerResponse): void {
    response.once('prefinish', () => {
      guard.run(() => {
        if (tracker.wiring.current()?.transaction === transaction) tracker.rememberTrace(transaction);
      }, undefined);
    });
  }

  function started(request: IncomingMessage, response: ServerResponse): void {
    const transaction = tracker.begin('http', undefined, []);
    transaction.nameLater(() => guard.run(() => nameOf(request, transaction), undefined));
    tracker.wiring.enter(transaction);
    if (hasOpenTelemetry()) followTrace(transaction, response);
    // Comes for aborted requests too, where the channel of finished responses stays silent.
    response.on('close', () => {
      guard.run(() => {
        const name = transaction.name ?? transaction.findName?.() ?? names.of(request.method, NO_ROUTE, transaction.operation);
        tracker.nameOnce(transaction, name);
        tracker.end(transaction, outcomeOfResponse(response));
      }, undefined);
    });
  }

  const onStart = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    guard.run(() => started(request, response), undefined);
  };
  subscribe(REQUEST_START, onStart);
  const endFastify = followFastifyRoutes(guard, routeFrom);
  return {
    routeFrom,
    end: () => {
      unsubscribe(REQUEST_START, onStart);
      endFastify();
    },
  };
}

function outcomeOfResponse(response: ServerResponse): Outcome {
  if (!response.writableFinished) return 'aborted';
  return response.statusCode >= 500 ? 'error' : 'ok';
}
