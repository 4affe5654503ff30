/** Where a Redis is: one server, or a cluster by some of its nodes, which name the others. */
export type RedisPlace =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly { readonly host: string; readonly port: number }[];
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly transport: 'plain' | 'tls';
    };

const DEFAULT_PORT = 6379;
const CLUSTER = /^redis(s?)-cluster:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/;

/**
 * Reads `redis[s]://...` as Redis clients do, and `redis[s]-cluster://[user:password@]host[:port][,host[:port]...]`. A
 * cluster has no database numbers.
 *
 * @returns `undefined`: it is neither.
 */
export function parseRedisUrl(text: string): RedisPlace | undefined {
  const cluster = CLUSTER.exec(text);
  if (cluster === null) {
    const isSingle = URL.canParse(text) && ['redis:', 'rediss:'].includes(new URL(text).protocol);
    return isSingle ? { kind: 'single', url: text } : undefined;
  }
  const [, secure, username, password, hosts] = cluster;
  const nodes = hosts!.split(',').map(parseNode);
  if (!nodes.every((node) => node !== undefined)) return undefined;
  return {
    kind: 'cluster',
    nodes,
    username: decoded(username),
    password: decoded(password),
    transport: secure === '' ? 'plain' : 'tls',
  };
}

function parseNode(text: string): { host: string; port: number } | undefined {
  if (text === '' || !URL.canParse(`redis://${text}`)) return undefined;
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: hostname.replaceAll(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_PORT : Number(port) };
}

/** Users and passwords hold what a URL may not, as %40 for @. */
function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
