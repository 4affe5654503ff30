import { AsyncLocalStorage } from 'node:async_hooks';
import { createProfiler, type NativeModule, type NativeTimeProfiler } from './native-profiler.js';

/**
 * Does a label in an AsyncLocalStorage reach the sampler? Asked by doing it: the version number does not tell, and
 * Node 22 without its flag would label nothing and say nothing.
 */
export function contextFramesWork(native: NativeModule): boolean {
  const key = new AsyncLocalStorage<object>();
  try {
    return reachesSampler(createProfiler(native, 10_000, key), key); // it throws on Node 20
  } catch {
    return false;
  } finally {
    key.disable();
  }
}

function reachesSampler(profiler: NativeTimeProfiler, key: AsyncLocalStorage<object>): boolean {
  let isRunning = false;
  try {
    profiler.start();
    isRunning = true;
    const label = {};
    return key.run(profiler.createContextHolder(label), () => profiler.context === label);
  } finally {
    try {
      if (isRunning) profiler.stop(false);
    } finally {
      profiler.dispose(); // or the garbage collector finds it together with its holder and aborts the process
    }
  }
}
