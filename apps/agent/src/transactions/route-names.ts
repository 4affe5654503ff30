import { cleanName } from './label-limits.js';

/** Beyond, all are made anew: an application with more routes than this makes them as it goes. */
const MAX_ROUTES = 1_000;

/** Names of HTTP transactions, `GET /users/:id`, each made and cleaned once. */
export class RouteNames {
  #byRoute = new Map<string, Map<string, string>>();

  /** @param method - `undefined` counts as GET. @param operation - What is asked for behind the route, as a GraphQL operation: any number of them. */
  of(method: string | undefined, route: string, operation?: string): string {
    if (operation !== undefined) return cleanName(`${method ?? 'GET'} ${route} ${operation}`);
    let byMethod = this.#byRoute.get(route);
    if (byMethod === undefined) {
      if (this.#byRoute.size >= MAX_ROUTES) this.#byRoute.clear();
      this.#byRoute.set(route, (byMethod = new Map()));
    }
    let name = byMethod.get(method ?? 'GET');
    if (name === undefined) byMethod.set(method ?? 'GET', (name = cleanName(`${method ?? 'GET'} ${route}`)));
    return name;
  }
}
