import type { IncomingMessage } from 'node:http';

/** What Express (4 and 5) leaves on a request; still there when the response closes. */
interface ExpressRequest extends IncomingMessage {
  readonly route?: { readonly path?: string | RegExp | readonly (string | RegExp)[] };
  /** The path under which the router is mounted, *as requested*. */
  readonly baseUrl?: string;
  /** The URL as requested, whatever routers take off it. */
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What a path has of wildcards, optional and repeated parts: then the number of its parts is not fixed. */
const OPEN_ENDED = /[*?+(){}]/;
/** Parts of a path that name one thing and not a kind of things: numbers, UUIDs, long hexadecimal ids. */
const ID_LIKE = /^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/**
 * The route that Express matched, as it was written: `/orgs/:org/users/:id`. `undefined` where none was.
 *
 * The mount path comes as requested, so its parameters are put back: by their values where the router sees them
 * (`mergeParams`), else an id-like part becomes `:id`.
 */
export function expressRoute(request: IncomingMessage): string | undefined {
  const { route, baseUrl, originalUrl, params } = request as ExpressRequest;
  if (route === undefined || route === null || route.path === undefined) return undefined;
  const mount = typeof baseUrl === 'string' ? baseUrl : '';
  const mountInUrl = typeof route.path === 'string' && typeof originalUrl === 'string' ? mountOf(originalUrl, route.path) : '';
  return mountPath(mountInUrl.length > mount.length ? mountInUrl : mount, params ?? {}) + String(route.path);
}

/**
 * What of the URL is before the route. An error that leaves a router takes the mount path off the request, and leaves the route.
 * '' where that cannot be told.
 */
function mountOf(originalUrl: string, routePath: string): string {
  if (OPEN_ENDED.test(routePath) || !originalUrl.startsWith('/')) return '';
  const routeParts = partsOf(routePath);
  const urlParts = partsOf(originalUrl.split('?', 1)[0]!);
  const mountLength = urlParts.length - routeParts.length;
  const endsAsRoute = routeParts.every(
    (part, at) => part.includes(':') || part.toLowerCase() === urlParts[mountLength + at]?.toLowerCase(),
  );
  return mountLength > 0 && endsAsRoute ? `/${urlParts.slice(0, mountLength).join('/')}` : '';
}

function partsOf(urlPath: string): string[] {
  return urlPath.split('/').filter((part) => part !== '');
}

function mountPath(baseUrl: string, params: Readonly<Record<string, unknown>>): string {
  if (baseUrl === '') return '';
  const nameOf = new Map(Object.entries(params).map(([name, value]) => [value, `:${name}`]));
  return baseUrl
    .split('/')
    .map((part) => nameOf.get(decodePart(part)) ?? (ID_LIKE.test(part) ? ':id' : part))
    .join('/');
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a % that starts nothing
  }
}
