import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { build } from 'rolldown';

const SOURCES = fileURLToPath(new URL('bundled', import.meta.url));

export interface BundleOptions {
  /** Of `bundled`. Default `main`. */
  readonly entry?: 'main' | 'later';
  /** Default: `bundled` itself; or a copy of it. */
  readonly sourceDir?: string;
  /** Default `rolldown`. */
  readonly minifier?: 'rolldown' | 'swc' | 'none';
}

/** Bundles a program of `bundled` into `file`, with its map beside it. */
export async function bundle(
  file: string,
  { entry = 'main', sourceDir = SOURCES, minifier = 'rolldown' }: BundleOptions = {},
): Promise<void> {
  await build({
    input: path.join(sourceDir, `${entry}.ts`),
    platform: 'node',
    logLevel: 'warn',
    output: { file, format: 'esm', sourcemap: true, minify: minifier === 'rolldown', codeSplitting: false },
  });
  if (minifier !== 'swc') return;
  const [code, content] = [readFileSync(file, 'utf8'), readFileSync(`${file}.map`, 'utf8')];
  const minified = await transform(code, {
    filename: file,
    isModule: true,
    minify: true,
    sourceMaps: true,
    inputSourceMap: content,
    jsc: { target: 'es2022', minify: { mangle: true, compress: true } },
  });
  writeFileSync(file, minified.code);
  writeFileSync(`${file}.map`, minified.map!);
}
