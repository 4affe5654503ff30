import { PROFILE_TYPE_IDS, parseProfileTypeId } from '../profile-type.js';
import type { FunctionKey } from '../function-table.js';
import type { Label, LabelSet } from '../label-set.js';
import { labelSet } from '../label-set.js';
import type { ProfileHead } from '../profile-builder.js';
import { ProfileBuilder } from '../profile-builder.js';
import type { Profile } from '../profile.js';
import { NO_PARENT } from '../stack-table.js';

export type TextProfileHead = Partial<ProfileHead>;

/**
 * Write a profile the way a flame graph looks. Each column is one sample, root at the top; the first line gives the values, and a
 * second line whose cells are in braces gives the labels.
 *
 *     profileFromText(`
 *       10              5                5
 *       {plan=free}     {plan=pro,a=b}   {}
 *       main            main             main
 *       read@src/io.ts  parse@json:p.js  parse@json:p.js
 *                                        gc
 *     `)
 *
 * Columns are aligned by where the values start, so a short column may stop early; a column without frames is a sample without frames. A frame is
 * `name`, `name@file` or `name@package:file`. A value may be followed by its count: `10x3`.
 *
 * @param head - Default: CPU time, from 0, for 10 s.
 */
export function profileFromText(text: string, head: TextProfileHead = {}): Profile {
  const builder = new ProfileBuilder({ type: parseProfileTypeId(PROFILE_TYPE_IDS.cpu), startMs: 0, durationMs: 10_000, ...head });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const valueLine = lines[0] ?? '';
  const starts = [...valueLine.matchAll(/\S+/g)].map((match) => match.index);
  const cell = (line: string, column: number): string => line.slice(starts[column], starts[column + 1]).trim();
  const hasLabels = lines[1]?.trim().startsWith('{') ?? false;
  const frameLines = lines.slice(hasLabels ? 2 : 1);

  for (let column = 0; column < starts.length; column += 1) {
    let stack = NO_PARENT;
    for (const line of frameLines) {
      const frame = cell(line, column);
      if (frame === '') break;
      stack = builder.stackRow(stack, builder.functionRow(functionFromText(frame)));
    }
    const labels = builder.labelSetRow(hasLabels ? labelsFromText(cell(lines[1]!, column)) : []);
    const [value, count] = cell(valueLine, column).split('x');
    builder.addSample(stack, labels, Number(value), Number(count ?? 1));
  }
  return builder.build();
}

function functionFromText(frame: string): FunctionKey {
  const at = frame.indexOf('@', 1);
  if (at === -1) return { name: frame, package: '', file: '' };
  const place = frame.slice(at + 1);
  const colon = place.lastIndexOf(':');
  return { name: frame.slice(0, at), package: place.slice(0, Math.max(colon, 0)), file: place.slice(colon + 1) };
}

function labelsFromText(text: string): LabelSet {
  const inner = text.replace(/^\{|\}$/g, '');
  return labelSet(
    inner
      .split(',')
      .filter((part) => part !== '')
      .map((part): Label => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]),
  );
}
