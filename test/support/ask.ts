import type { TestServer } from './server.js';

/** GET with the server's admin key. @throws with status and body when the answer is not 2xx. */
export async function askBytes(server: Pick<TestServer, 'url' | 'key'>, pathAndQuery: string): Promise<Uint8Array> {
  const response = await fetch(`${server.url}${pathAndQuery}`, { headers: { authorization: `Bearer ${server.key}` } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`${pathAndQuery}: ${response.status} ${new TextDecoder().decode(bytes)}`);
  return bytes;
}

export async function askJson<T>(server: Pick<TestServer, 'url' | 'key'>, pathAndQuery: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await askBytes(server, pathAndQuery))) as T;
}
