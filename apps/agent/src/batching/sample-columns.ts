import type { LabelSetIndex, ProfileTypeId, StackIndex } from '@hearth/profile-model';
import type { BatchProfile, RecordedLines } from '@hearth/wire-format';

interface Row {
  readonly stack: StackIndex;
  readonly labelSet: LabelSetIndex;
  value: number;
  count: number;
}

/** The samples of one profile, one row for each (stack, label set). */
export class SampleColumns {
  readonly #rows = new Map<number, Row>();

  add(stack: StackIndex, labelSet: LabelSetIndex, value: number, count: number): void {
    const key = stack * 1024 + labelSet; // at most 256 label sets
    const row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, { stack, labelSet, value, count });
    } else {
      row.value += value;
      row.count += count;
    }
  }

  /** @param round - Makes a value a whole number. @param lines - Those of the stacks. @param roundCount - Where counts may be parts of samples */
  toProfile(
    typeId: ProfileTypeId,
    round: (value: number) => number,
    lines: RecordedLines = 'definition',
    roundCount: (count: number) => number = (count) => count,
  ): BatchProfile {
    const rows = [...this.#rows.values()].sort((a, b) => a.stack - b.stack || a.labelSet - b.labelSet);
    return {
      typeId,
      lines,
      sampleStack: Int32Array.from(rows, ({ stack }) => stack),
      sampleLabelSet: Uint32Array.from(rows, ({ labelSet }) => labelSet),
      sampleValue: Float64Array.from(rows, ({ value }) => round(value)),
      sampleCount: Float64Array.from(rows, ({ count }) => roundCount(count)),
    };
  }
}
