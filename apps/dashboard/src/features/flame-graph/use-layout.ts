import { useEffect, useState } from 'react';
import { layOut, type FlameColumns, type FlameLayout } from './layout.js';

interface LayoutReply {
  readonly id: number;
  readonly layout: FlameLayout;
  readonly layoutMs: number;
}

let worker: Worker | undefined;
let lastId = 0;

/** The layout of a tree, made in a worker. `undefined` until the first is there; afterwards the last one stays until the next. */
export function useLayout<Tree extends FlameColumns>(
  tree: Tree,
): { readonly tree: Tree; readonly layout: FlameLayout } | undefined {
  const [laidOut, setLaidOut] = useState<{ tree: Tree; layout: FlameLayout }>();
  useEffect(() => {
    worker ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    // A worker that cannot start would leave the page waiting: here it takes as long, and only the page stutters.
    const onError = () => setLaidOut({ tree, layout: layOut(tree) });
    const id = (lastId += 1);
    const onMessage = ({ data }: MessageEvent<LayoutReply>) => {
      if (data.id !== id) return;
      performance.measure('flame-graph-layout', { start: performance.now() - data.layoutMs, duration: data.layoutMs });
      setLaidOut({ tree, layout: data.layout });
    };
    worker.addEventListener('message', onMessage);
    worker.addEventListener('error', onError);
    worker.postMessage({ id, columns: { depth: tree.depth, self: tree.self, change: tree.change } });
    return () => {
      worker?.removeEventListener('message', onMessage);
      worker?.removeEventListener('error', onError);
    };
  }, [tree]);
  return laidOut;
}
