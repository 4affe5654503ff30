import { readLabelFilter } from './label-filter.js';
import { list, missingValues, oneOf, readSearch, text, type Parameter, type Parameters, type SearchOf } from './search-codec.js';

/** What every page that shows one service may ask for; the names are those of the API's selection. */
const SCOPE = {
  service: text(),
  environment: text(),
  revision: text(),
  process: text(),
  transaction: text(),
  labels: list(readLabelFilter),
  from: text('now-1h', 40),
  until: text('now', 40),
} satisfies Parameters;

/** The parameters of one side of a comparison, named `baselineRevision`, `candidateLabels`, ... Empty times: all that the revision has. */
function side<const Name extends 'baseline' | 'candidate'>(name: Name): SideParameters<Name> {
  return {
    [`${name}Environment`]: text(),
    [`${name}Revision`]: text(),
    [`${name}Transaction`]: text(),
    [`${name}From`]: text('', 40),
    [`${name}Until`]: text('', 40),
    [`${name}Labels`]: SCOPE.labels,
  } as SideParameters<Name>;
}
type SideParameters<Name extends string> = {
  [Field in 'Environment' | 'Revision' | 'Transaction' | 'From' | 'Until' as `${Name}${Field}`]: Parameter<string>;
} & { [Field in `${Name}Labels`]: typeof SCOPE.labels };

export const ROOT_PARAMETERS = { project: text('', 64) } satisfies Parameters;

export const EXPLORE_PARAMETERS = {
  ...SCOPE,
  type: text('cpu', 400),
  /** `<fromMs>-<untilMs>` drawn on the timeline: the part whose samples are shown. */
  brush: text('', 40),
  group: text('', 100),
  view: oneOf(['both', 'graph', 'table', 'lines', 'process'], 'both'),
  /** Whose lines are shown; empty: the file in which most ran. */
  file: text('', 4000),
  package: text('', 400),
  grow: oneOf(['down', 'up'], 'down'),
  search: text('', 400),
  /** Path of the frame that fills the width; function-key.ts says how it is written. */
  zoom: text('', 4000),
  /** The function selected everywhere. */
  function: text('', 32),
  sort: oneOf(['self', 'total', 'name'], 'self'),
} satisfies Parameters;

export const TRANSACTIONS_PARAMETERS = {
  ...SCOPE,
  sort: oneOf(['sum', 'cpu', 'cpuEach', 'waited', 'unexplained', 'p95', 'count', 'errors', 'name'], 'sum'),
  /** The id of the slow run that is open. */
  run: text('', 100),
  /** `<from>-<to>` in microseconds of the run: the part of it that fills the width. */
  runZoom: text('', 40),
  search: text('', 400),
} satisfies Parameters;

export const COMPARE_PARAMETERS = {
  service: text(),
  type: text('cpu', 400),
  ...side('baseline'),
  ...side('candidate'),
} satisfies Parameters;

export const COMPARISON_PARAMETERS = {
  metric: oneOf(['self', 'inclusive'], 'self'),
  show: oneOf(['alarms', 'possible', 'all'], 'possible'),
  /** The function and the transaction selected everywhere. */
  function: text('', 32),
  transaction: text(),
  /** The list of changes shows only this transaction. */
  only: text(),
  search: text('', 400),
  zoom: text('', 4000),
} satisfies Parameters;

export const INSTALL_PARAMETERS = { service: text('', 200) } satisfies Parameters;
export const SIGN_IN_PARAMETERS = { next: text('/', 8000) } satisfies Parameters;

export type ExploreSearch = SearchOf<typeof EXPLORE_PARAMETERS>;
export type TransactionsSearch = SearchOf<typeof TRANSACTIONS_PARAMETERS>;
export type CompareSearch = SearchOf<typeof COMPARE_PARAMETERS>;
export type ComparisonSearch = SearchOf<typeof COMPARISON_PARAMETERS>;
/** What the filter bar edits. */
export type ScopeSearch = SearchOf<typeof SCOPE>;

/** For a route: every parameter may be left out by whoever links to it. */
export function searchOf<P extends Parameters>(
  parameters: P,
): { read: (raw: Partial<SearchOf<P>>) => SearchOf<P>; missing: SearchOf<P> } {
  return { read: (raw) => readSearch(parameters, raw as Record<string, unknown>), missing: missingValues(parameters) };
}
