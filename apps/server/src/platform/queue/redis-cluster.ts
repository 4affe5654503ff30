import { Cluster } from 'ioredis';
import type { RedisPlace } from './redis-url.js';

/** How long the nodes may take to say who holds what: the default of 1 s is little for a busy machine. */
const SLOTS_REFRESH_TIMEOUT_MS = 5_000;

/** Connects by itself, and again for ever. */
export function connectRedisCluster({
  nodes,
  username,
  password,
  transport,
}: RedisPlace & { readonly kind: 'cluster' }): Cluster {
  return new Cluster([...nodes], {
    slotsRefreshTimeout: SLOTS_REFRESH_TIMEOUT_MS,
    redisOptions: {
      maxRetriesPerRequest: null, // workers refuse a number
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(transport === 'tls' && { tls: {} }),
    },
    // A certificate is for a name: it is not to be resolved before.
    ...(transport === 'tls' && {
      dnsLookup: (address: string, callback: (error: null, address: string) => void) => {
        callback(null, address);
      },
    }),
  });
}
