import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type {
  ApiKeyAnswer,
  CommandAnswer,
  CommandKind,
  ComparisonAnswer,
  ComparisonRequest,
  ExemplarAnswer,
  FlameGraphAnswer,
  FunctionsAnswer,
  LabelsAnswer,
  LabelValuesAnswer,
  LinesAnswer,
  MeasuresAnswer,
  ProcessAnswer,
  ProcessMetricsAnswer,
  RevisionAnswer,
  SelectionInput,
  ServiceAnswer,
  SessionAnswer,
  TimelineAnswer,
  TransactionDetailAnswer,
  TransactionsAnswer,
} from '@hearth/query-contract';
import { ApiError, apiPath, requestJson, type QueryValue } from './request.js';

/** How often what is still growing is asked for again. */
const FRESH_EVERY_MS = 15_000;
/** How soon a first batch, or a comparison's next state, is seen. */
const WATCH_EVERY_MS = 2_000;

type Query = Record<string, QueryValue>;

/** Who is signed in; `null`: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<SessionAnswer | null> => {
    try {
      return await requestJson<SessionAnswer>(apiPath('/sessions/current'), { signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export function signIn(email: string, password: string): Promise<SessionAnswer> {
  return requestJson(apiPath('/sessions'), { method: 'POST', body: { email, password } });
}

export function signOut(): Promise<void> {
  return requestJson(apiPath('/sessions/current'), { method: 'DELETE' });
}

export function createApiKey(project: string, name: string): Promise<ApiKeyAnswer> {
  return requestJson(apiPath('/api-keys', { project }), { method: 'POST', body: { name, kind: 'ingest' } });
}

export function requestComparison(project: string, request: ComparisonRequest): Promise<ComparisonAnswer> {
  return requestJson(apiPath('/comparisons', { project }), { method: 'POST', body: request });
}

export function servicesQuery(project: string, watch: 'now and then' | 'closely' = 'now and then') {
  return read<readonly ServiceAnswer[]>(
    '/services',
    { project },
    { refetchInterval: watch === 'closely' ? WATCH_EVERY_MS : FRESH_EVERY_MS },
  );
}

export function revisionsQuery(project: string, service: string) {
  return read<readonly RevisionAnswer[]>(
    `/services/${encodeURIComponent(service)}/revisions`,
    { project },
    { enabled: service !== '' },
  );
}

export function processesQuery(project: string, service: string) {
  return read<readonly ProcessAnswer[]>(
    `/services/${encodeURIComponent(service)}/processes`,
    { project },
    { enabled: service !== '' },
  );
}

export function labelsQuery(project: string, service: string, range: { from: string; until: string }) {
  return read<LabelsAnswer>(
    `/services/${encodeURIComponent(service)}/labels`,
    { project, ...range },
    { enabled: service !== '' },
  );
}

export function labelValuesQuery(project: string, service: string, name: string, range: { from: string; until: string }) {
  const path = `/services/${encodeURIComponent(service)}/labels/${encodeURIComponent(name)}/values`;
  return read<LabelValuesAnswer>(path, { project, ...range }, { enabled: service !== '' && name !== '' });
}

export function timelineQuery(project: string, selection: SelectionInput, groupBy: string) {
  return read<TimelineAnswer>('/timeline', { project, ...asQuery(selection), groupBy }, growing(selection));
}

export function flameGraphQuery(project: string, selection: SelectionInput) {
  return read<FlameGraphAnswer>('/flame-graph', { project, ...asQuery(selection) }, growing(selection));
}

export function functionsQuery(
  project: string,
  selection: SelectionInput,
  query: { sort: 'self' | 'total'; limit: number; search: string },
) {
  return read<FunctionsAnswer>('/functions', { project, ...asQuery(selection), ...query }, growing(selection));
}

export function processMetricsQuery(project: string, { type: _type, ...selection }: SelectionInput) {
  return read<ProcessMetricsAnswer>('/process-metrics', { project, ...asQuery(selection) }, growing(selection));
}

/** @param file - Empty: the one in which most ran. */
export function linesQuery(
  project: string,
  selection: SelectionInput,
  { file, package: packageName }: { file: string; package: string },
) {
  const options = growing(selection);
  return read<LinesAnswer>(
    '/lines',
    { project, ...asQuery(selection), ...(file === '' ? {} : { file, package: packageName }) },
    { ...options, enabled: options.enabled && selection.revision !== '' },
  );
}

export function giveCommand(
  project: string,
  service: string,
  command: { kind: CommandKind; environment?: string; process?: string },
): Promise<CommandAnswer> {
  return requestJson(apiPath(`/services/${encodeURIComponent(service)}/commands`, { project }), {
    method: 'POST',
    body: command,
  });
}

export function transactionsQuery(project: string, selection: SelectionInput) {
  return read<TransactionsAnswer>('/transactions', { project, ...asQuery(selection) }, growing(selection));
}

export function measuresQuery(project: string, selection: SelectionInput) {
  return read<MeasuresAnswer>('/measures', { project, ...asQuery(selection) }, growing(selection));
}

export function transactionQuery(project: string, name: string, selection: SelectionInput) {
  return read<TransactionDetailAnswer>(
    `/transactions/${encodeURIComponent(name)}`,
    { project, ...asQuery(selection) },
    growing(selection),
  );
}

export function exemplarQuery(project: string, id: string) {
  return queryOptions({
    queryKey: ['/transactions/exemplars', project, id],
    queryFn: ({ signal }) =>
      requestJson<ExemplarAnswer>(apiPath(`/transactions/exemplars/${encodeURIComponent(id)}`, { project }), { signal }),
    // What a run was does not change.
    staleTime: Infinity,
    enabled: id !== '',
  });
}

/** Asked again until it is done or has failed. */
export function comparisonQuery(project: string, id: string) {
  return queryOptions({
    queryKey: ['/comparisons', project, id],
    queryFn: ({ signal }) =>
      requestJson<ComparisonAnswer>(apiPath(`/comparisons/${encodeURIComponent(id)}`, { project }), { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'done' || state.data?.status === 'failed' ? false : WATCH_EVERY_MS),
    // A result never changes: the same id is the same answer.
    staleTime: ({ state }) => (state.data?.status === 'done' ? Infinity : 0),
  });
}

/** Old data stays, dimmed by the page, until the new has come. */
function read<Answer>(path: string, query: Query, options: { enabled?: boolean; refetchInterval?: number | false } = {}) {
  return queryOptions({
    queryKey: [path, query],
    queryFn: ({ signal }) => requestJson<Answer>(apiPath(path, query), { signal }),
    placeholderData: keepPreviousData,
    ...options,
  });
}

function asQuery(selection: SelectionInput): Query {
  return { ...selection } as Query;
}

/** A range that ends now grows; one in the past does not change. */
function growing(selection: SelectionInput): { enabled: boolean; refetchInterval: number | false } {
  const open = (selection.until ?? 'now').startsWith('now');
  return { enabled: selection.service !== '', refetchInterval: open ? FRESH_EVERY_MS : false };
}
