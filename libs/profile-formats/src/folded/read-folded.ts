import type { Profile, ProfileType } from '@hearth/profile-model';
import { NATIVE_PACKAGE, NO_PARENT } from '@hearth/profile-model';
import { FormatError } from '../errors.js';
import type { FormatLimits } from '../limits.js';
import { assertWithin } from '../limits.js';
import { SamplesByType, tidyFunction } from '../samples-by-type.js';

/** The file does not say what was counted. Whoever knows may put another type in its place. */
export const FOLDED_TYPE: ProfileType = {
  name: 'samples',
  sampleType: 'samples',
  sampleUnit: 'count',
  periodType: '',
  periodUnit: '',
};

/** @param text - Without byte order mark. @throws {FormatError} `FOLDED_COUNT`, `FOLDED_TWO_COUNTS`, `FORMAT_LIMIT`, `FORMAT_VALUE` */
export function foldedToProfile(text: string, limits: FormatLimits): Profile {
  const samples = new SamplesByType([FOLDED_TYPE], limits);
  const noLabels = samples.labelSetRow([]);
  let stackLines = 0;
  let linesWithTwoCounts = 0;
  let lineNumber = 0;
  for (const line of linesOf(text)) {
    assertWithin((lineNumber += 1), limits.maxRows, 'lines');
    if (/^\s*($|#|\/\/)/.test(line)) continue;
    stackLines += 1;
    const [stack, count] = splitAtLastSpace(line);
    if (count === undefined || !Number.isSafeInteger(count)) {
      throw new FormatError(
        'FOLDED_COUNT',
        `line ${lineNumber} does not end in a space and a whole count: ${JSON.stringify(line.slice(-80))}`,
      );
    }
    if (splitAtLastSpace(stack)[1] !== undefined) linesWithTwoCounts += 1;
    samples.addSample(stackRow(samples, stack), noLabels, [count], count);
  }
  if (stackLines > 0 && linesWithTwoCounts === stackLines) {
    throw new FormatError('FOLDED_TWO_COUNTS', 'every line ends in two counts: this is the difference of two profiles');
  }
  if (stackLines === 0) throw new FormatError('FORMAT_EMPTY', 'only comments');
  return samples.profiles(0, 0, true)[0]!;
}

/** One line at a time: splitting the whole text would hold it twice. */
function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const until = end === -1 ? text.length : end;
    yield text.slice(from, text[until - 1] === '\r' ? until - 1 : until);
    from = until + 1;
  }
}

/**
 * The count is behind the last space: frames hold spaces too. By hand, because a pattern would take the square of a line of spaces.
 *
 * @returns The count is `undefined` if there is none.
 */
function splitAtLastSpace(line: string): [stack: string, count: number | undefined] {
  const trimmed = line.trimEnd();
  const at = Math.max(trimmed.lastIndexOf(' '), trimmed.lastIndexOf('\t'));
  const count = trimmed.slice(at + 1);
  return at >= 0 && /^\d+$/.test(count) ? [trimmed.slice(0, at).trimEnd(), Number(count)] : [trimmed, undefined];
}

/** Empty frames, as in `;;a;;b;`, are left out; of the stack of none of them the row is `NO_PARENT`. */
function stackRow(samples: SamplesByType, stack: string): number {
  const frames = stack.split(';').filter((frame) => frame.trim() !== '');
  samples.countFrames(frames.length);
  let row = NO_PARENT;
  for (const frame of frames) {
    const isRuntimes = /^\(.*\)$/.test(frame); // (idle), (garbage collector)
    row = samples.stackRow(
      row,
      samples.functionRow(tidyFunction({ name: frame, package: isRuntimes ? NATIVE_PACKAGE : '', file: '' })),
    );
  }
  return row;
}
