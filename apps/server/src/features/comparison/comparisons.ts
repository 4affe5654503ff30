import { Injectable } from '@nestjs/common';
import type { ComparisonAnswer, ComparisonRequest } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { parseComparisonId } from './comparison-id.js';
import { ComparisonRepository, type ComparisonRow } from './comparison.repository.js';
import { ComparisonSides } from './comparison-sides.js';

/** Asking for comparisons and reading their answers. Never computes one: a worker does. */
@Injectable()
export class Comparisons {
  constructor(
    readonly sides: ComparisonSides,
    readonly repository: ComparisonRepository,
  ) {}

  /** Makes the row that a worker will find; one that is there already is answered as it is, without its result. */
  async request(projectId: number, request: ComparisonRequest): Promise<ComparisonAnswer> {
    return answerOf(await this.repository.addPending(await this.sides.identify(projectId, request)));
  }

  /**
   * @returns `result`: deflated JSON, once there is one; `answer.result` is always null.
   * @throws {HearthError} `COMPARISON_NOT_FOUND`
   */
  async find(projectId: number, id: string): Promise<{ answer: ComparisonAnswer; result: Buffer | undefined }> {
    const key = parseComparisonId(id);
    const row = key && (await this.repository.find(key));
    if (row?.projectId !== projectId)
      throw new HearthError(
        'COMPARISON_NOT_FOUND',
        'this project has no comparison of this id: POST /api/v1/comparisons asks for one',
        { status: 404 },
      );
    return { answer: answerOf(row), result: row.status === 'done' ? await this.repository.findResult(row) : undefined };
  }
}

function answerOf({ id, status, createdMs, baseline, candidate, error }: ComparisonRow): ComparisonAnswer {
  return { id, status, createdMs, baseline, candidate, result: null, error };
}
