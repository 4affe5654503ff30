import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A real program whose profiles are recorded. */
export interface Program {
  readonly name: string;
  /** Runs it once, from start to end, with the agent told by `env`; `toolsDir` holds the packages of `TOOLS`. */
  run(env: NodeJS.ProcessEnv, toolsDir: string): Promise<void>;
}

/** Installed for a recording only, so that no user of the benchmarks has to. */
const TOOLS = [
  'eslint@10.15.0',
  '@eslint/js@10.0.1',
  'rollup@4.68.7',
  '@rollup/plugin-node-resolve@16.0.3',
  '@rollup/plugin-commonjs@29.0.3',
  '@rollup/plugin-json@6.1.0',
];
const TYPESCRIPT_SECONDS = 170;
const SHOP_SECONDS = 95;
const SHOP_PROCESSES = 2;
const SHOP_REQUESTS_PER_SECOND = 16;
/** As in the demo, in requests of a hundred. */
const SHOP_MIX = { list: 15, search: 20, product: 25, cart: 24, add: 9, checkout: 7 };

const root = fileURLToPath(new URL('../../../', import.meta.url));

export const PROGRAMS: readonly Program[] = [
  {
    name: 'typescript',
    run: (env) =>
      runTool(env, 'bench/src/corpus/typescript-host.mjs', [
        String(TYPESCRIPT_SECONDS),
        ...['apps/server', 'apps/agent', 'apps/dashboard', 'libs/profile-diff'].map((folder) => `${folder}/tsconfig.json`),
      ]),
  },
  {
    name: 'eslint',
    run: (env, toolsDir) =>
      runTool(env, path.join(toolsDir, 'node_modules/eslint/bin/eslint.js'), [
        '--no-config-lookup',
        `--config=${path.join(toolsDir, 'eslint.config.mjs')}`,
        `--format=${path.join(toolsDir, 'no-report.mjs')}`,
        'apps/server/dist',
        'apps/agent/dist',
        'scripts',
        'examples',
      ]),
  },
  {
    name: 'rollup',
    run: (env, toolsDir) =>
      runTool(env, path.join(toolsDir, 'node_modules/rollup/dist/bin/rollup'), [
        '--silent',
        '-c',
        path.join(toolsDir, 'rollup.config.mjs'),
      ]),
  },
  {
    name: 'prettier',
    run: (env) => runTool(env, 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'silent', '.']),
  },
  { name: 'shop', run: runShop },
];

/** Installs what is not a dependency of this repository into a folder of its own. */
export function installTools(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-corpus-'));
  writeFileSync(path.join(dir, 'package.json'), '{"private":true}');
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--silent', ...TOOLS], {
    cwd: dir,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`npm install ended with ${status}`);
  writeFileSync(path.join(dir, 'no-report.mjs'), "export default () => '';\n");
  writeFileSync(
    path.join(dir, 'eslint.config.mjs'),
    "import js from '@eslint/js';\nexport default [{ basePath: process.cwd(), files: ['**/*.{js,mjs,cjs}'], ...js.configs.all }];\n",
  );
  writeFileSync(
    path.join(dir, 'rollup.config.mjs'),
    `import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
export default {
  input: 'apps/server/dist/main.js',
  output: { dir: '${dir}/bundle', format: 'es', sourcemap: true },
  plugins: [resolve({ preferBuiltins: true }), commonjs({ ignoreTryCatch: true }), json()],
  onLog() {},
};
`,
  );
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

async function runTool(env: NodeJS.ProcessEnv, script: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', '@hearth/agent/preload', script, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'close'); // with any code: a linter may find something
}

/** Processes of the shop's first release, and the demo's visitors. */
async function runShop(env: NodeJS.ProcessEnv): Promise<void> {
  const shops = Array.from({ length: SHOP_PROCESSES }, () =>
    fork(path.join(root, 'examples/shop/src/server.js'), {
      cwd: path.join(root, 'examples/shop'),
      execArgv: ['--import', '@hearth/agent/preload'],
      env: { ...env, PORT: '0' },
    }),
  );
  const load = fork(path.join(root, 'scripts/demo/load.mjs'), { execArgv: [] });
  try {
    const urls = await Promise.all(shops.map(urlOf));
    load.send({
      targets: urls.map((url) => ({ url, mix: SHOP_MIX })),
      perSecond: SHOP_PROCESSES * SHOP_REQUESTS_PER_SECOND,
    });
    await sleep(SHOP_SECONDS * 1_000);
  } finally {
    for (const child of [load, ...shops]) {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  }
}

async function urlOf(shop: ChildProcess): Promise<string> {
  const [message] = (await once(shop, 'message')) as [{ url: string }];
  return message.url;
}
