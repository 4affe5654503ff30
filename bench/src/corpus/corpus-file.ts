import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { NATIVE_PACKAGE, NODE_PACKAGE, canonicalFunction, scriptNameOf } from '@hearth/profile-model';
import { decodeBatches, encodeBatch, type Batch } from '@hearth/wire-format';

const FOLDER = new URL('../../corpus/', import.meta.url);
const ENDING = '.batches.br';

/** What an agent sent while one program ran: messages of the wire format behind each other, in a brotli stream. */
export interface Recording {
  readonly program: string;
  readonly batches: readonly Batch[];
}

/** Every recording of bench/corpus, by name of the program. */
export function readCorpus(): Recording[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(ENDING))
    .sort()
    .map((file) => ({
      program: file.slice(0, -ENDING.length),
      batches: decodeBatches(brotliDecompressSync(readFileSync(new URL(file, FOLDER)))),
    }));
}

/**
 * Writes `bench/corpus/PROGRAM.batches.br` anew.
 *
 * @param privateTexts - Must not be in it: folders and names of this machine.
 * @returns Its size in bytes.
 * @throws {Error} if one of them is
 */
export function writeRecording({ program, batches }: Recording, privateTexts: readonly string[]): number {
  const messages = Buffer.concat(batches.map((batch) => encodeBatch(placedElsewhere(batch, program))));
  for (const text of privateTexts) if (messages.includes(text)) throw new Error(`${program}: "${text}" is in the recording`);
  const bytes = brotliCompressSync(messages, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: messages.length,
    },
  });
  writeFileSync(new URL(`${program}${ENDING}`, FOLDER), bytes);
  return bytes.length;
}

/** The batch as a machine would have sent it whose repository lies in `/srv/PROGRAM`; packages stay packages, whatever folder held them. */
function placedElsewhere(batch: Batch, program: string): Batch {
  const rootDir = `/srv/${program}`;
  const place = (scriptName: string): string => {
    const file = canonicalFunction({ name: '', scriptName }, batch.process.rootDir);
    if (file.package === NATIVE_PACKAGE || file.package === NODE_PACKAGE) return scriptNameOf(file);
    const path = `${rootDir}/${scriptNameOf(file).replace(/^\.\.\.\/(?:.*\/)?/, 'outside/')}`;
    return scriptName.startsWith('file:') ? `file://${path}` : path;
  };
  return {
    ...batch,
    process: { ...batch.process, rootDir, host: 'recorder', pid: 1 },
    functions: { ...batch.functions, scriptName: batch.functions.scriptName.map(place) },
  };
}
