import { Injectable } from '@nestjs/common';
import type { MeasuresAnswer, MeasuresRequest } from '@hearth/query-contract';
import { Catalog } from '../catalog/index.js';
import { SelectionResolver, observedMs } from '../selection/index.js';
import { TransactionWindows } from '../transactions/index.js';
import { measureRows } from './measure-rows.js';

/** How often snippets timed by `measure()` ran, and how long. */
@Injectable()
export class MeasureQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly transactionWindows: TransactionWindows,
    readonly catalog: Catalog,
  ) {}

  async list(projectId: number, request: MeasuresRequest): Promise<MeasuresAnswer> {
    const scope = await this.selections.resolveScope(projectId, request, { grain: 'minutes' });
    const [runs, revisions] = await Promise.all([
      this.transactionWindows.readMeasures(scope.query),
      this.catalog.revisions(scope.service.id),
    ]);
    const measures = measureRows({
      runs,
      labelSets: scope.labelSets,
      revisionNames: new Map(revisions.map(({ id, name }) => [id, name])),
      observedMs: (revisionId) =>
        revisionId === undefined
          ? scope.observedMs
          : observedMs(
              scope.processes.filter((process) => process.revisionId === revisionId),
              scope.range,
            ),
    });
    return { selection: scope.request, measures };
  }
}
