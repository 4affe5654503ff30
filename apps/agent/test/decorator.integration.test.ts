import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { labelValue } from '@hearth/profile-model';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT_DIST, runHost } from './support/run-host.js';
import { Sink, countsByName } from './support/sink.js';

const REPORTS = `
  import { Transaction } from '${AGENT_DIST}index.mjs';
  export class Reports {
    readonly #kind: string;
    constructor(kind: string) { this.#kind = kind; }
    @Transaction()
    async build(pages: number): Promise<string> { return this.#kind + pages; }
    @Transaction({ name: 'send', labels: (to: string) => ({ to }) })
    send(to: string): string { return this.#kind + to; }
    @Transaction()
    static refresh(): number { return 7; }
    @Transaction()
    async fail(): Promise<string> { throw new Error('no ' + this.#kind); }
  }
`;

let folder: string;
let sink: Sink;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hearth-decorator-'));
  sink = await new Sink().open();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await sink.close();
});

/** Checks the types and compiles. @returns Address of the module. */
function compiled(experimentalDecorators: boolean): string {
  const file = path.join(folder, 'reports.mts');
  writeFileSync(file, REPORTS);
  const { NodeNext } = ts.ModuleKind;
  const program = ts.createProgram([file], {
    experimentalDecorators,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: NodeNext,
    skipLibCheck: true,
    types: [],
  });
  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual(
    [],
  );
  program.emit();
  return pathToFileURL(path.join(folder, 'reports.mjs')).href;
}

describe.each([
  ['ECMAScript', false],
  ['experimentalDecorators', true],
])('@Transaction() compiled for %s', (_, experimentalDecorators) => {
  it('makes each call a transaction of its class and method, and gives what the method gives', async () => {
    const { output, errors } = await runHost('decorated.mjs', sink.url, { args: [compiled(experimentalDecorators)] });
    expect(JSON.parse(output), errors).toEqual({
      results: ['report2', 'month1', 'reporta', 'reportb', 7, 'no report'],
      looks: ['build', 1],
    });
    expect(countsByName(sink.stored)).toEqual({
      'Reports.build ok': 1,
      'Monthly.build ok': 1,
      'send ok': 2,
      'Reports.refresh ok': 1,
      'Reports.fail error': 1,
    });
    const sentTo = sink.stored.flatMap(({ labelSets }) => labelSets.flatMap((labels) => labelValue(labels, 'to') ?? []));
    expect([...new Set(sentTo)].sort()).toEqual(['a', 'b']);
  });
});
