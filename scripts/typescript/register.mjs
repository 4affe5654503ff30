/** Lets Node run TypeScript as it is: the benchmarks (what they measure are the built packages) and the pictures. */
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
