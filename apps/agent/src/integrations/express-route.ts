import type { IncomingMessage } from 'node:http';

/** What Express (4 and 5) leaves on a request; still there when the response closes. */
interface ExpressRequest extends IncomingMessage {
  readonly route?: {
    readonly path?: string | RegExp | readonly (string | RegExp)[];
    /** What handles it, in this order; without a method, what handles all. */
    readonly stack?: readonly { readonly method?: string; readonly handle?: unknown }[];
  };
  /** The path under which the router is mounted, *as requested*. */
  readonly baseUrl?: string;
  /** What is behind `baseUrl`. The two together are the URL as the host has rewritten it, if it did. */
  readonly url?: string;
  /** As requested. Where the host rewrites URLs it may be anything. */
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What a path has of wildcards, optional and repeated parts: then the number of its parts is not fixed. */
const OPEN_ENDED = /[*?+(){}]/;
/** Parts of a path that name one thing and not a kind of things: numbers, UUIDs, long hexadecimal ids. */
const ID_LIKE = /^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/** Of each route the mount paths it was reached by, as they are written. An error that leaves a router takes them, and its parameters, off the request. */
const mountsOf = new WeakMap<object, Set<string>>();
/** Most routers are mounted once. */
const MAX_MOUNTS = 16;

/**
 * The route that Express matched, as it was written: `/orgs/:org/users/:id`. `undefined` where none was.
 *
 * The mount path comes as requested, so its parameters are put back: by their values where the router sees them
 * (`mergeParams`), else an id-like part becomes `:id`. After an error it is found by the mount paths that the route had before.
 */
export function expressRoute(request: IncomingMessage): string | undefined {
  const { route, baseUrl, url, originalUrl, params } = request as ExpressRequest;
  if (route === undefined || route === null || route.path === undefined) return undefined;
  const mount = typeof baseUrl === 'string' ? baseUrl : '';
  const own = ownParameters(route, route.path);
  const others = Object.entries(params ?? {}).filter(([name]) => !own.has(name));
  // An error that leaves a router takes the route's parameters off the request: where they are there, nothing is lost.
  const isLeft = others.length === Object.keys(params ?? {}).length;
  const lost = isLeft && typeof route.path === 'string' && typeof url === 'string' ? lostMount(url, route.path) : '';
  if (lost === '') {
    const written = mountPath(mount, others);
    remember(route, written);
    return written + String(route.path);
  }
  // A handler may have rewritten the URL, and what is in front of the route is then no mount path. Middleware that takes something off the URL leaves its end.
  const isRequested = typeof originalUrl === 'string' && pathOf(originalUrl).endsWith(pathOf(mount + url));
  return (knownMount(route, mount + lost) ?? mountPath(isRequested ? mount + lost : mount, others)) + String(route.path);
}

/** The last function of the route that Express matched: those before it pass requests on. */
export function expressHandler(request: IncomingMessage): unknown {
  const method = request.method?.toLowerCase();
  const handles = (one: string | undefined): boolean =>
    one === undefined || one === method || (method === 'head' && one === 'get');
  return (request as ExpressRequest).route?.stack?.findLast((layer) => handles(layer.method))?.handle;
}

/** Where a handler is mounted that has no route, as `app.use('/graphql', handler)`; `undefined` where none is, or it has passed the request on. */
export function expressMount(request: IncomingMessage): string | undefined {
  const { route, baseUrl, params } = request as ExpressRequest;
  return route === undefined && typeof baseUrl === 'string' && baseUrl !== ''
    ? mountPath(baseUrl, Object.entries(params ?? {}))
    : undefined;
}

/**
 * What of the URL is before the route. An error that leaves a router puts the mount path back from `baseUrl` into `url`, and leaves the route; else `url` is
 * what the route matched. '' where that cannot be told.
 */
function lostMount(url: string, routePath: string): string {
  if (OPEN_ENDED.test(routePath) || !url.startsWith('/')) return '';
  const routeParts = partsOf(routePath);
  const urlParts = partsOf(pathOf(url));
  const mountLength = urlParts.length - routeParts.length;
  const endsAsRoute = routeParts.every(
    (part, at) => part.includes(':') || part.toLowerCase() === urlParts[mountLength + at]?.toLowerCase(),
  );
  return mountLength > 0 && endsAsRoute ? `/${urlParts.slice(0, mountLength).join('/')}` : '';
}

function remember(route: object, mount: string): void {
  const mounts = mountsOf.get(route) ?? new Set();
  mountsOf.set(route, mounts);
  if (mounts.size < MAX_MOUNTS) mounts.add(mount);
}

function knownMount(route: object, path: string): string | undefined {
  const parts = partsOf(path);
  return [...(mountsOf.get(route) ?? [])].find((mount) => {
    const written = partsOf(mount);
    return (
      written.length === parts.length &&
      written.every((part, at) => part.startsWith(':') || part.toLowerCase() === parts[at]!.toLowerCase())
    );
  });
}

const ownParametersOf = new WeakMap<object, ReadonlySet<string>>();

/** The names of the parameters in a route's own path; those that only have a number may be the mount path's as well. */
function ownParameters(route: object, path: NonNullable<NonNullable<ExpressRequest['route']>['path']>): ReadonlySet<string> {
  let own = ownParametersOf.get(route);
  if (own === undefined) {
    const texts = [path].flat().filter((one) => typeof one === 'string');
    own = new Set(texts.flatMap((text) => [...text.matchAll(/[:*]"?(\w+)/g)].map(([, name]) => name!)));
    ownParametersOf.set(route, own);
  }
  return own;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}

function partsOf(urlPath: string): string[] {
  return urlPath.split('/').filter((part) => part !== '');
}

function mountPath(baseUrl: string, params: readonly (readonly [name: string, value: unknown])[]): string {
  if (baseUrl === '') return '';
  const nameOf = new Map(params.map(([name, value]) => [value, `:${name}`]));
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
