import type { FoundMap } from './find-maps.js';

/** The map without the code in it, wherever in the map that is. One that is no JSON is refused: nobody knows what it holds. */
export function withoutSources(map: FoundMap): FoundMap {
  try {
    // Some servers put this line in front of JSON that scripts must not load.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(map.bytes).replace(/^\)\]\}'?[^\n]*\n/, '');
    const json: unknown = JSON.parse(text, (key, value: unknown) => (key === 'sourcesContent' ? undefined : value));
    if (typeof json === 'object' && json !== null) return { ...map, bytes: Buffer.from(JSON.stringify(json)) };
  } catch {
    // said below
  }
  return { ...map, refusal: 'it is no JSON, so its sources cannot be left out: it was not sent' };
}
