import { defineConfig } from 'tsdown';

/** ESM and CommonJS with their types. Our own libraries go into the bundle; only the native profiler stays a dependency. */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    preload: 'src/preload.ts',
    pyroscope: 'src/pyroscope.ts',
    koa: 'src/integrations/koa.ts',
    hono: 'src/integrations/hono.ts',
    graphql: 'src/integrations/graphql.ts',
    bullmq: 'src/integrations/bullmq.ts',
    lambda: 'src/integrations/lambda.ts',
  },
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  dts: true,
  sourcemap: false,
  outDir: 'dist',
  // Files keep their names and are written over: what runs from here meanwhile never misses one.
  hash: false,
  // One entry has a default export beside its named ones, as the package that it stands for.
  outputOptions: { exports: 'named' },
  clean: false,
  deps: { neverBundle: [/^@datadog\/pprof/], alwaysBundle: [/^@hearth\//] },
  inputOptions: { resolve: { conditionNames: ['hearth-source', 'import', 'node', 'default'] } },
  // Nothing that the agent takes from the libraries does anything by being loaded.
  treeshake: {
    moduleSideEffects: [
      { test: /apps\/agent\/src\//, sideEffects: true },
      { test: /.*/, sideEffects: false },
    ],
  },
});
