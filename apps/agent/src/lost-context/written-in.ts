import type { StackIndex } from '@hearth/profile-model';
import type { RawNode } from '../samplers/native-profiler.js';
import { positionOf, type HandlerRange, type HandlerRanges } from './handler-ranges.js';

/** Of a stack the function nearest to the leaf that is written in a handler, or is one. */
export interface WrittenIn {
  /** The smallest. */
  readonly range: HandlerRange;
  readonly isHandler: boolean;
  readonly name: string;
  readonly scriptName: string;
  readonly line: number;
  readonly column: number;
}

/** Tells it of each stack of one tree, a parent before its children. */
export class StacksInHandlers {
  readonly #ranges: HandlerRanges;
  readonly #writtenIn = new Map<StackIndex, WrittenIn>();

  constructor(ranges: HandlerRanges) {
    this.#ranges = ranges;
  }

  of(node: RawNode, stackRow: StackIndex, parentRow: StackIndex): WrittenIn | undefined {
    const { name, scriptName, scriptId, lineNumber: line, columnNumber: column } = node;
    const position = positionOf(line, column);
    const range = scriptId === undefined || position === undefined ? undefined : this.#ranges.at(scriptId, position);
    const above = this.#writtenIn.get(parentRow);
    if (range === undefined) {
      if (above !== undefined) this.#writtenIn.set(stackRow, above);
      return above;
    }
    const own: WrittenIn = { range, isHandler: range.start === position, name, scriptName, line, column };
    this.#writtenIn.set(stackRow, own);
    return own;
  }
}
