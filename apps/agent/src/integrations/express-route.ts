import type { IncomingMessage } from 'node:http';

/** What Express (4 and 5) leaves on a request; still there when the response closes. */
interface ExpressRequest extends IncomingMessage {
  readonly route?: { readonly path?: string | RegExp | readonly (string | RegExp)[] };
  /** The path under which the router is mounted, *as requested*. */
  readonly baseUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Parts of a path that name one thing and not a kind of things: numbers, UUIDs, long hexadecimal ids. */
const ID_LIKE = /^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,})$/i;

/**
 * The route that Express matched, as it was written: `/orgs/:org/users/:id`. `undefined` where none was.
 *
 * The mount path comes as requested, so its parameters are put back: by their values where the router sees them
 * (`mergeParams`), else an id-like part becomes `:id`.
 */
export function expressRoute(request: IncomingMessage): string | undefined {
  const { route, baseUrl, params } = request as ExpressRequest;
  if (route === undefined || route === null || route.path === undefined) return undefined;
  return mountPath(typeof baseUrl === 'string' ? baseUrl : '', params ?? {}) + String(route.path);
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
