import type { SelectionInput } from '@hearth/query-contract';
import { matchText } from '../../url-state/label-filter.js';
import type { ScopeSearch } from '../../url-state/page-search.js';

/** The API's selection of what the filter bar says. */
export function selectionOf(scope: ScopeSearch & { readonly type?: string }): SelectionInput {
  const { service, environment, revision, process, transaction, labels, from, until, type } = scope;
  const match = matchText(labels);
  return {
    service,
    from,
    until,
    ...(type ? { type } : {}),
    ...(environment ? { environment } : {}),
    ...(revision ? { revision } : {}),
    ...(process ? { process } : {}),
    ...(transaction ? { transaction } : {}),
    ...(match ? { match } : {}),
  };
}
