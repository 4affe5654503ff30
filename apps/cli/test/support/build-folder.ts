import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeMap } from '../../../../test/support/made-map.js';

export const PROGRAM = fileURLToPath(new URL('../../dist/main.mjs', import.meta.url));
export const MAP = JSON.stringify({ ...madeMap([[[0, 0, 0, 0, 0]]]), sourcesContent: ['function parseOrder() {}'] });
export const SHA = '3f2a9bc47d1e0f6a5b8c9d0e1f2a3b4c5d6e7f80';

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder of the service `shop`, in which the built command runs. */
export class BuildFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), 'hearth-cli-'));

  constructor() {
    this.write('package.json', JSON.stringify({ name: 'shop' }));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  write(file: string, text: string): void {
    const place = path.join(this.path, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text);
  }

  /** A build as tools leave it. */
  writeBuild(): void {
    this.write('dist/server.js', 'run();\n//# sourceMappingURL=server.js.map\n');
    this.write('dist/server.js.map', MAP);
    this.write(
      'dist/jobs/worker.mjs',
      `run();\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(MAP).toString('base64')}`,
    );
    this.write('dist/beside.cjs', 'run();');
    this.write('dist/beside.cjs.map', MAP);
    this.write('dist/written.js', 'run();');
    this.write('dist/node_modules/lib/lib.js', 'run();\n//# sourceMappingURL=lib.js.map');
    this.write('dist/node_modules/lib/lib.js.map', MAP);
  }

  /** Runs the built command; in its output this folder is `/shop`. @param user - Permissions do not hold for root. */
  async hearth(
    args: readonly string[],
    variables: Readonly<Record<string, string>>,
    user: { readonly uid?: number; readonly gid?: number } = {},
  ): Promise<Run> {
    const program = spawn(process.execPath, [PROGRAM, ...args], {
      ...user,
      cwd: this.path,
      env: { PATH: process.env['PATH'], ...variables },
    });
    let [out, err] = ['', ''];
    program.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    program.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
    return { code, out: out.replaceAll(this.path, '/shop'), err: err.replaceAll(this.path, '/shop') };
  }
}
