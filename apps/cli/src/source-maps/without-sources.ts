import { MapFilter } from '../../../agent/src/source-maps/map-filter.js';
import type { FoundMap } from './find-maps.js';

/** The map without the code in it, wherever in the map that is. One that is no JSON is refused: nobody knows what it holds. */
export function withoutSources(map: FoundMap): FoundMap {
  try {
    const filter = new MapFilter('left-out');
    const parts = filter.push(map.bytes);
    filter.end();
    return { ...map, bytes: Buffer.concat(parts) };
  } catch {
    return { ...map, refusal: 'it is no JSON, so its sources cannot be left out: it was not sent' };
  }
}
