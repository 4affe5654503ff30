import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { Sink } from './sink.js';

/** Makes sinks and folders that are there until all tests of a file have ended: those that run at once have no end of their own that a hook could tell. */
export function untilAllEnd(): { readonly newSink: () => Promise<Sink>; readonly newFolder: () => string } {
  const sinks: Sink[] = [];
  const folders: string[] = [];
  afterAll(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  return {
    newSink: async () => {
      const sink = await new Sink().open();
      sinks.push(sink);
      return sink;
    },
    newFolder: () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'hearth-test-agent-'));
      folders.push(folder);
      return folder;
    },
  };
}
