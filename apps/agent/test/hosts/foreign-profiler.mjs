// Runs a profiler of its own from the same add-on, as another vendor's agent in the same process does. Prints what that one saw.
import pprof from '@datadog/pprof';
import { flush, init, stop, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

pprof.time.start({ intervalMicros: 10_000, durationMillis: 60_000, withContexts: true });
init();
transaction('host', () => burn(100));
await flush();
await stop();
init();
transaction('host', () => burn(100));
await stop();
const profile = pprof.time.stop(false);
console.log(`the host saw ${profile.sample.length > 0 ? 'samples' : 'nothing'}`);
