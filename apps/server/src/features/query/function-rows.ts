import type { FunctionTable } from '@hearth/profile-model';
import type { FunctionsAnswer } from '@hearth/query-contract';
import { wireNumber } from './wire-number.js';

export interface FunctionRowsRequest {
  readonly sort: 'self' | 'total';
  readonly limit: number;
  /** Part of a name, file or package, upper and lower case alike. */
  readonly search?: string | undefined;
}

/**
 * The dearest functions, largest first; equal ones in the order of the table, so that the same question gives the same page.
 *
 * @param totals - By row of `functions`.
 * @returns `count`: all that match, before the limit.
 */
export function functionRows(
  functions: FunctionTable,
  totals: { readonly self: Float64Array; readonly total: Float64Array },
  request: FunctionRowsRequest,
): Pick<FunctionsAnswer, 'functions' | 'count'> {
  const needle = request.search?.toLowerCase() ?? '';
  const matching: number[] = [];
  for (let row = 0; row < functions.length; row += 1) {
    if (totals.total[row]! > 0 && (needle === '' || nameOf(functions, row).includes(needle))) matching.push(row);
  }
  const by = totals[request.sort];
  const other = totals[request.sort === 'self' ? 'total' : 'self'];
  matching.sort((a, b) => by[b]! - by[a]! || other[b]! - other[a]! || a - b);
  return {
    count: matching.length,
    functions: matching.slice(0, request.limit).map((row) => ({
      name: functions.name[row]!,
      package: functions.package[row]!,
      file: functions.file[row]!,
      self: wireNumber(totals.self[row]!),
      total: wireNumber(totals.total[row]!),
    })),
  };
}

function nameOf(functions: FunctionTable, row: number): string {
  return `${functions.name[row]}\n${functions.package[row]}\n${functions.file[row]}`.toLowerCase();
}
