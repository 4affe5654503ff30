import { Injectable } from '@nestjs/common';
import { DEFAULT_MAX_NODES, type LinesAnswer, type LinesRequest } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { LineRecordings, type ReadRecording } from '../lines/index.js';
import { SelectionResolver, type ProfileScope } from '../selection/index.js';
import { wireNumber } from './wire-number.js';

/** Of one answer: lines are recorded for a minute at a time, so these are days of work of many processes. */
const MAX_RECORDINGS = 10_000;
/** Named to somebody who asked for a file that has none. */
const FILES_NAMED = 5;
/** Listed with each answer, those in which most ran. */
const FILES_LISTED = 200;

type FileName = Pick<LinesAnswer, 'package' | 'file'>;

/** What each line of one file cost, where lines were recorded. */
@Injectable()
export class LineQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly recordings: LineRecordings,
  ) {}

  /** @throws {HearthError} `LINES_HAVE_NO_LABELS`, `LINES_NOT_RECORDED`, `LINES_TOO_MANY`; what `SelectionResolver.resolve` throws */
  async lines(projectId: number, request: LinesRequest, signal: AbortSignal): Promise<LinesAnswer> {
    const { package: packageName, file: fileName, ...asked } = request;
    const scope = await this.selections.resolve(projectId, { ...asked, maxNodes: DEFAULT_MAX_NODES });
    if (scope.query.labelSetIds !== undefined)
      throw new HearthError('LINES_HAVE_NO_LABELS', 'lines are recorded without labels: ask without transaction and match');
    // Without a name it is the file in which most ran, which is known when all has been read once; native code has no lines.
    const wanted =
      fileName === undefined
        ? (await this.#sums(scope, undefined, signal)).files.find(({ file }) => file !== '')
        : { package: packageName, file: fileName };
    const sums = await this.#sums(scope, wanted, signal);
    if (wanted === undefined || sums.lines.size === 0) throw notRecorded(scope, fileName, sums);
    const { maxNodes: _maxNodes, ...selection } = scope.selection;
    // A level is what there was on average while lines were recorded.
    const averagedMs = scope.kind === 'level' ? Math.max(1, sums.recordedMs) : 1;
    const valueOf = (sum: number) => wireNumber(Math.round(sum / averagedMs));
    return {
      selection,
      unit: scope.type.sampleUnit,
      package: wanted.package,
      file: wanted.file,
      files: sums.files.slice(0, FILES_LISTED).map(({ self, ...name }) => ({ ...name, self: valueOf(self) })),
      recordings: sums.recordings,
      sum: valueOf(sums.sum),
      lines: [...sums.lines]
        .sort(([a], [b]) => a - b)
        .map(([line, { self, total, samples }]) => ({ line, self: valueOf(self), total: valueOf(total), samples })),
    };
  }

  async #sums({ query, profileTypeId }: ProfileScope, wanted: FileName | undefined, signal: AbortSignal): Promise<LineSums> {
    const { revisionIds, ...rest } = query;
    const filter = { ...rest, revisionId: revisionIds![0]!, profileTypeId };
    const count = await this.recordings.count(filter);
    if (count > MAX_RECORDINGS)
      throw new HearthError(
        'LINES_TOO_MANY',
        `lines were recorded ${count} times in this range, ${MAX_RECORDINGS} can be read: ask for a part of it`,
      );
    const sums = new LineSums(wanted);
    for await (const recording of this.recordings.read(filter)) {
      signal.throwIfAborted();
      sums.add(recording);
    }
    return sums;
  }
}

class LineSums {
  readonly #wanted: FileName | undefined;
  readonly lines = new Map<number, { self: number; total: number; samples: number }>();
  readonly #fileOf = new Map<string, FileName & { self: number }>();
  recordings = 0;
  /** Time in which at least one of them was made. */
  recordedMs = 0;
  /** Of all files. */
  sum = 0;
  #countedUntilMs = -Infinity;

  /** @param wanted - Whose lines; `undefined`: of none. */
  constructor(wanted: FileName | undefined) {
    this.#wanted = wanted;
  }

  /** The one in which most ran first. */
  get files(): readonly (FileName & { readonly self: number })[] {
    return [...this.#fileOf.values()].sort((a, b) => b.self - a.self);
  }

  /** By start. */
  add({ startMs, durationMs, costs }: ReadRecording): void {
    const { files, fileRow, line, self, total, samples } = costs;
    this.recordings += 1;
    const endMs = startMs + durationMs;
    this.recordedMs += Math.max(0, endMs - Math.max(startMs, this.#countedUntilMs));
    this.#countedUntilMs = Math.max(this.#countedUntilMs, endMs);
    const selfOfRow = new Float64Array(files.file.length);
    const isWanted = files.file.map((file, row) => file === this.#wanted?.file && files.package[row] === this.#wanted.package);
    for (let row = 0; row < line.length; row += 1) {
      selfOfRow[fileRow[row]!]! += self[row]!;
      if (!isWanted[fileRow[row]!]) continue;
      const known = this.lines.get(line[row]!) ?? { self: 0, total: 0, samples: 0 };
      known.self += self[row]!;
      known.total += total[row]!;
      known.samples += samples[row]!;
      this.lines.set(line[row]!, known);
    }
    selfOfRow.forEach((value, row) => {
      this.sum += value;
      const [packageName, file] = [files.package[row]!, files.file[row]!];
      const key = JSON.stringify([packageName, file]);
      const known = this.#fileOf.get(key) ?? { package: packageName, file, self: 0 };
      known.self += value;
      this.#fileOf.set(key, known);
    });
  }
}

function notRecorded({ request }: ProfileScope, file: string | undefined, { recordings, files }: LineSums): HearthError {
  const of = `of revision ${JSON.stringify(request.revision)}`;
  const largest = files
    .slice(0, FILES_NAMED)
    .map((one) => (one.package === '' ? one.file : `${one.file} of package ${one.package}`));
  const instead = largest.length === 0 ? '' : `; most ran in ${largest.join(', ')}`;
  return new HearthError(
    'LINES_NOT_RECORDED',
    recordings === 0 || file === undefined
      ? `no lines ${of} were recorded in this range: samples know functions only, until an agent is asked to record lines or a pprof file is uploaded with lines=call-site`
      : `nothing ran in ${JSON.stringify(file.slice(0, 200))} ${of} while lines were recorded${instead}`,
    { status: 404 },
  );
}
