import { flatText } from './flat-text.js';

/** Characters of a peer's name. */
const MAX_LENGTH = 100;
/** A part of a host name that looks made, as a tenant's or a bucket's: with four digits or more, or a long one of hexadecimal digits. */
const MADE_PART = /^(?:(?:.*\d){4}.*|[\da-f]{8,}|[\da-f]{8}-[\da-f-]+)$/i;
const ADDRESS = /^(?:[\d.]+|\[.*\]|.*:.*:.*)$/;

/** Names that were made, by their host: a program asks few, many times. */
const known = new Map<string, string>();
const MAX_KNOWN = 500;
/** Longer ones are not kept. */
const MAX_KNOWN_LENGTH = 300;

/**
 * The host that a request goes to, as the name of an operation: without port and account, `(address)` for a bare IP address, and `*` for
 * a part that looks made.
 *
 * @param host - With or without its port, or a URL's origin.
 */
export function peerName(host: unknown): string {
  if (typeof host !== 'string' && !(host instanceof URL)) return '(unknown)';
  const text = String(host);
  let name = known.get(text);
  if (name !== undefined) return name;
  name = nameOfHost(text);
  if (text.length > MAX_KNOWN_LENGTH) return name;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(flatText(text), name);
  return name;
}

function nameOfHost(host: string): string {
  const name = host
    .slice(0, 1_000)
    .replace(/^[a-z][\w+.-]*:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^.*@/s, '')
    .replace(/^([^:]*|\[.*\]):\d*$/s, '$1') // not of `::1`
    .toLowerCase();
  if (name === '') return '(unknown)';
  if (ADDRESS.test(name)) return '(address)';
  if (!/^[\w.-]+$/.test(name)) return '(unknown)';
  return name
    .split('.')
    .map((part) => (MADE_PART.test(part) ? '*' : part))
    .join('.')
    .slice(0, MAX_LENGTH);
}

/** A request's method, of which there are few; `(other)` for one that somebody made up. */
export function methodName(method: unknown): string {
  const name = typeof method === 'string' ? method.toUpperCase() : 'GET';
  return METHODS.has(name) ? name : '(other)';
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE', 'PROPFIND', 'QUERY']);
