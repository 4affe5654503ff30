import { defineConfig } from 'tsdown';

/** One file without dependencies: it is run from build machines, often by npx. */
export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  platform: 'node',
  target: 'node20.19',
  dts: false,
  sourcemap: false,
  outDir: 'dist',
  hash: false,
  clean: false,
  deps: { alwaysBundle: [/./] },
  inputOptions: { resolve: { conditionNames: ['hearth-source', 'import', 'node', 'default'] } },
});
