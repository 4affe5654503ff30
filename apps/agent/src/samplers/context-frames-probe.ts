import { AsyncLocalStorage } from 'node:async_hooks';
import { createProfiler, type NativeModule } from './native-profiler.js';

/**
 * Does a label in an AsyncLocalStorage reach the sampler? Asked by doing it: the version number does not tell, and
 * Node 22 without its flag would label nothing and say nothing.
 */
export function contextFramesWork(native: NativeModule): boolean {
  const key = new AsyncLocalStorage<object>();
  try {
    const profiler = createProfiler(native, 10_000, key); // throws on Node 20
    profiler.start();
    const label = {};
    const works = key.run(profiler.createContextHolder(label), () => profiler.context === label);
    profiler.stop(false);
    profiler.dispose(); // or the garbage collector finds it together with its holder and aborts the process
    return works;
  } catch {
    return false;
  } finally {
    key.disable();
  }
}
