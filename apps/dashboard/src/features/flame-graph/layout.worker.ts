import { layOut, type FlameColumns } from './layout.js';

/** One layout per message; `id` tells the answers apart, because a newer question may overtake an older. */
export interface LayoutQuestion {
  readonly id: number;
  readonly columns: FlameColumns;
}

self.onmessage = ({ data }: MessageEvent<LayoutQuestion>) => {
  const startMs = performance.now();
  const layout = layOut(data.columns);
  const transfer = Object.values(layout).map((column: Float64Array | Uint32Array) => column.buffer as ArrayBuffer);
  self.postMessage({ id: data.id, layout, layoutMs: performance.now() - startMs }, { transfer });
};
