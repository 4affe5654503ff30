import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome } from '@hearth/wire-format';
import { expressRoute } from '../integrations/express-route.js';
import { followFastifyRoutes } from '../integrations/fastify-route.js';
import type { Guard } from '../safety/guard.js';
import { cleanName } from './label-limits.js';
import type { Transaction } from './transaction.js';
import type { TransactionTracker } from './transaction-tracker.js';

/** Published with the request before its handler is called, in the same synchronous call. */
const REQUEST_START = 'http.server.request.start';
/** A request that no framework has a route for; never the raw URL, which would be a name per visitor. */
const NO_ROUTE = '(no route)';

/** Makes every incoming HTTP request a transaction, named after its route. @returns What ends it. */
export function followHttpServers(tracker: TransactionTracker, guard: Guard): () => void {
  const transactionOf = new WeakMap<IncomingMessage, Transaction>();

  function started(request: IncomingMessage, response: ServerResponse): void {
    const transaction = tracker.begin('http', undefined, []);
    transaction.findName = () => guard.run(() => expressName(request), undefined);
    transactionOf.set(request, transaction);
    tracker.wiring.enter(transaction);
    // Comes for aborted requests too, where the channel of finished responses stays silent.
    response.once('close', () => {
      guard.run(() => {
        tracker.nameOnce(transaction, transaction.name ?? expressName(request) ?? routeName(request, NO_ROUTE));
        tracker.end(transaction, outcomeOfResponse(response));
      }, undefined);
    });
  }

  const onStart = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    guard.run(() => started(request, response), undefined);
  };
  subscribe(REQUEST_START, onStart);
  const endFastify = followFastifyRoutes((request, route) => {
    guard.run(() => {
      const transaction = transactionOf.get(request);
      if (transaction !== undefined) tracker.nameOnce(transaction, routeName(request, route));
    }, undefined);
  });
  return () => {
    unsubscribe(REQUEST_START, onStart);
    endFastify();
  };
}

function expressName(request: IncomingMessage): string | undefined {
  const route = expressRoute(request);
  return route === undefined ? undefined : routeName(request, route);
}

function routeName(request: IncomingMessage, route: string): string {
  return cleanName(`${request.method ?? 'GET'} ${route}`);
}

function outcomeOfResponse(response: ServerResponse): Outcome {
  if (!response.writableFinished) return 'aborted';
  return response.statusCode >= 500 ? 'error' : 'ok';
}
