import { Injectable } from '@nestjs/common';
import type { ProfileTypeShortName } from '@hearth/profile-model';
import type { TransactionDetailAnswer, TransactionsAnswer } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { Cover } from '../rollup/index.js';
import { SelectionResolver, type Scope, type ScopeRequest } from '../selection/index.js';
import { TransactionWindows } from '../transactions/index.js';
import { ExemplarQueries } from './exemplar-queries.js';
import { transactionRows, transactionsByLabel, type TransactionFigures } from './transaction-rows.js';

/** The longest step that windows of every level fit into; the steps of a range, 32 at most, are summed. */
const STEP_MS = 86_400_000;

/** What transactions cost: counts and durations from their windows, CPU and waits from the samples that carry their label. */
@Injectable()
export class TransactionQueries {
  constructor(
    readonly selections: SelectionResolver,
    readonly transactionWindows: TransactionWindows,
    readonly cover: Cover,
    readonly exemplars: ExemplarQueries,
  ) {}

  async list(projectId: number, request: ScopeRequest, signal: AbortSignal): Promise<TransactionsAnswer> {
    const scope = await this.selections.resolveScope(projectId, request, { grain: 'minutes' });
    return { selection: scope.request, ...transactionRows(await this.figures(scope, signal)) };
  }

  /** @throws {HearthError} `TRANSACTION_NOT_FOUND` */
  async one(projectId: number, name: string, request: ScopeRequest, signal: AbortSignal): Promise<TransactionDetailAnswer> {
    const scope = await this.selections.resolveScope(projectId, { ...request, transaction: name }, { grain: 'minutes' });
    const figures = await this.figures(scope, signal);
    const [transaction] = transactionRows(figures).transactions;
    if (transaction === undefined) {
      throw new HearthError(
        'TRANSACTION_NOT_FOUND',
        `no transaction ${JSON.stringify(name.slice(0, 100))} ran in this range: GET /api/v1/transactions lists those that did`,
        { status: 404 },
      );
    }
    return {
      selection: scope.request,
      transaction,
      byLabel: transactionsByLabel(figures),
      exemplars: await this.exemplars.list(scope, name),
    };
  }

  async figures(scope: Scope, signal: AbortSignal): Promise<TransactionFigures> {
    const [counted, cpuMicrosOfLabelSet, waits, awaited] = await Promise.all([
      this.transactionWindows.read(scope.query),
      this.sumByLabelSet(scope, 'cpu', signal),
      this.sumByLabelSet(scope, 'wait', signal),
      this.sumByLabelSet(scope, 'awaited', signal),
    ]);
    return {
      counted,
      cpuMicrosOfLabelSet: cpuMicrosOfLabelSet ?? new Map(),
      waits: waits && { waitMicrosOfLabelSet: waits, awaitedMicrosOfLabelSet: awaited ?? new Map() },
      labelSets: scope.labelSets,
      observedMs: scope.observedMs,
    };
  }

  /** Microseconds of each label set; `undefined` for a service that has never sent such profiles. */
  async sumByLabelSet(scope: Scope, type: ProfileTypeShortName, signal: AbortSignal): Promise<Map<number, number> | undefined> {
    const profileTypeId = await this.selections.findProfileType(scope, type);
    if (profileTypeId === undefined) return undefined;
    const sums = new Map<number, number>();
    const groupOfLabelSet = new Map([...scope.labelSets.keys()].map((id) => [id, id]));
    const steps = await this.cover.steps({ ...scope.query, profileTypeId, signal }, STEP_MS, groupOfLabelSet);
    steps.groups.forEach((labelSetId, group) => {
      const micros = steps.values[group]!.reduce((sum, value) => sum + value, 0);
      if (micros > 0) sums.set(Number(labelSetId), micros);
    });
    return sums;
  }
}
