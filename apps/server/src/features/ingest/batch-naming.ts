import { Inject, Injectable } from '@nestjs/common';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import type { Logger } from 'pino';
import { LOGGER } from '../../platform/observability/index.js';
import { MinifiedFiles, OriginalFunctions } from '../source-maps/index.js';
import type { CanonicalBatch, CanonicalProfile } from './canonical-batch.js';
import { IngestThreads } from './ingest-threads.js';
import { recordedLines, type RecordedLines } from './recorded-lines.js';
import type { RecordedLinesTask } from './recorded-lines.worker.js';
import { SMALL_LINE_VISITS } from './small-bodies.js';

const LINES_FILE = 'features/ingest/recorded-lines.worker.js';

export interface NamedBatch {
  readonly batch: CanonicalBatch;
  /** Files whose functions stay minified. */
  readonly minifiedFiles: readonly string[];
}

/** What a batch is stored for. */
interface BatchOrigin {
  readonly serviceId: number;
  readonly revisionId: number;
}

/** Names what is in a batch as its sources do, where there are source maps; notes which files stay minified. */
@Injectable()
export class BatchNaming {
  constructor(
    readonly originals: OriginalFunctions,
    readonly minified: MinifiedFiles,
    readonly threads: IngestThreads,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}

  /** The same batch by the names of its sources. Stacks keep their rows: functions that are one now are made one where they are stored. */
  async named(batch: CanonicalBatch, { serviceId }: BatchOrigin): Promise<NamedBatch> {
    const { revision } = batch.process;
    const { minifiedFiles, ...named } = await this.originals.name(
      { serviceId, revision },
      batch.functions,
      batch.places,
      callSites(batch),
    );
    if (!named.isChanged) return { batch, minifiedFiles };
    const renamed = { ...batch, functions: named.functions };
    const withLines = batch.profiles.filter(({ lineCosts }) => lineCosts !== undefined);
    if (withLines.length === 0) return { batch: renamed, minifiedFiles };
    // Lines that are one in the source were several: what a sample counts once can be told from its stack only.
    const { costs } = await this.#recordedLines(renamed, withLines, named.line);
    const costsOf = new Map(withLines.map((profile, at) => [profile, costs[at]]));
    const profiles = batch.profiles.map((profile) => ({ ...profile, lineCosts: costsOf.get(profile) }));
    return { batch: { ...renamed, profiles }, minifiedFiles };
  }

  /** Of a batch that is stored. What goes wrong is ours and is logged: the next batch tells it again. */
  async note({ batch, minifiedFiles }: NamedBatch, { serviceId, revisionId }: BatchOrigin): Promise<void> {
    if (minifiedFiles.length === 0) return;
    try {
      await this.minified.note(serviceId, revisionId, minifiedFiles, batch.startMs);
    } catch (error) {
      this.logger.error({ err: error }, 'which files came minified was not noted');
    }
  }

  async #recordedLines(
    { functions, stacks }: CanonicalBatch,
    profiles: readonly CanonicalProfile[],
    line: Uint32Array,
  ): Promise<RecordedLines> {
    if (profiles.length * (functions.length + stacks.length) <= SMALL_LINE_VISITS)
      return recordedLines({ functions, stacks }, profiles, line);
    return this.threads.run<RecordedLinesTask, RecordedLines>(LINES_FILE, { functions, stacks, profiles, line });
  }
}

/** Rows of functions that only waits speak of: those come from call sites of errors, everything else from samplers. */
function callSites({ functions, stacks, profiles, exemplars }: CanonicalBatch): (row: number) => boolean {
  const hasWaits =
    profiles.some(({ typeId }) => typeId === PROFILE_TYPE_IDS.wait) || exemplars.some(({ waits }) => waits.stack.length > 0);
  if (!hasWaits) return () => false;
  const sampled = profiles.flatMap(({ typeId, sampleStack }) => (typeId === PROFILE_TYPE_IDS.wait ? [] : [sampleStack]));
  const isSampled = new Uint8Array(functions.length);
  const isSeen = new Uint8Array(stacks.length);
  // Exemplars hold samples of earlier batches too.
  for (const leaves of [...sampled, ...exemplars.map(({ samples }) => samples.stack)]) {
    for (const leaf of leaves) {
      for (let stack = leaf; stack >= 0 && isSeen[stack] === 0; stack = stacks.parent[stack]!) {
        isSeen[stack] = 1;
        isSampled[stacks.functionRow[stack]!] = 1;
      }
    }
  }
  return (row) => isSampled[row] === 0;
}
