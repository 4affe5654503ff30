import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

/** Three kinds of tests, told apart by file name; docs/testing.md says what each may do. */
const kinds = {
  unit: {
    include: ['{libs,apps}/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    exclude: ['**/*.integration.test.ts', '**/*.e2e.test.ts'],
  },
  integration: { include: ['{libs,apps,test}/**/*.integration.test.ts'], exclude: [] as string[] },
  e2e: { include: ['{apps,test,examples}/**/*.e2e.test.ts'], exclude: ['test/demo/**'] },
  // It measures what sixteen processes do on this machine.
  'e2e-alone': { include: ['test/demo/*.e2e.test.ts'], exclude: [] as string[] },
};
const never = ['**/node_modules/**', '**/dist/**', '**/.types/**'];

export default defineConfig({
  test: {
    projects: Object.entries(kinds).map(([name, { include, exclude }], order) => ({
      // The sources of our libraries, not their builds: a test sees what is being edited.
      resolve: { conditions: ['hearth-source', 'module', 'node', 'import', 'default'] },
      // These go to Node as --conditions too: 'import' or 'module' there would make require() load ES modules (pg breaks).
      ssr: { resolve: { conditions: ['hearth-source', 'node'] } },
      // Nest needs the metadata of decorators, which vitest's own compiler drops.
      plugins: [
        swc.vite({
          module: { type: 'es6' },
          jsc: {
            target: 'es2023',
            parser: { syntax: 'typescript', decorators: true, tsx: false },
            transform: { legacyDecorator: true, decoratorMetadata: true },
          },
        }),
      ],
      test: {
        name,
        include,
        exclude: [...never, ...exclude],
        pool: 'forks' as const,
        testTimeout: name === 'unit' ? 20_000 : 120_000,
        hookTimeout: name === 'unit' ? 20_000 : 120_000,
        // Files share processes: reading the server's modules takes longer than most files. Those end to end start what they test as processes.
        isolate: name.startsWith('e2e'),
        // Each file has servers of its own. Those of integration tests wait a third of the time.
        ...(name === 'unit' ? {} : { maxWorkers: { integration: 3, 'e2e-alone': 1 }[name] ?? 2 }),
        sequence: { groupOrder: order },
        globalSetup: [
          ...(name === 'integration' || name === 'e2e' ? ['test/support/postgres.ts'] : []),
          ...(name === 'e2e' ? ['test/support/browser.ts'] : []),
        ],
      },
    })),
  },
});
