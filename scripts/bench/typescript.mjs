/** Lets Node run the TypeScript of the benchmarks as it is; what they measure are the built packages. */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
