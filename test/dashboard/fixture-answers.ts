import type {
  CommandAnswer,
  ComparisonAnswer,
  DeployAnswer,
  FlameGraphAnswer,
  FunctionsAnswer,
  LinesAnswer,
  MeasuresAnswer,
  ResolvedSelection,
  SessionAnswer,
  TimelineAnswer,
} from '@hearth/query-contract';
import { processes, revisions, services, type FixtureState } from './fixture-catalog.js';
import { madeComparison } from './made-comparison.js';
import { madeProcessMetrics } from './made-process-metrics.js';
import { madeRuns } from './made-runs.js';
import { BASELINE, CANDIDATE, functionTotals, HOSTILE_NAMES, largeTree, madeTree, seeded, type MadeTree } from './made-shop.js';
import { madeTransactionDetail, madeTransactions } from './made-transactions.js';

export const session: SessionAnswer = {
  user: { email: 'admin@hearth.local', role: 'admin' },
  projects: [{ id: '1', name: 'default' }],
};

/** What the API answers to `METHOD /route`; undefined where the fixture has nothing. */
export function answerTo(route: string, query: URLSearchParams, body: Record<string, unknown>, state: FixtureState): unknown {
  const nowMs = Date.now();
  const [path, service] = [
    route.replace(/^(GET|POST) \/services\/([^/]+)/, '$1 /services/:service'),
    decodeURIComponent(/^GET \/services\/([^/]+)/.exec(route)?.[1] ?? ''),
  ];
  if (path.startsWith('GET /services/:service/labels/'))
    return { name: 'plan', values: service === 'hostile' ? HOSTILE_NAMES : ['free', 'pro', 'enterprise'] };
  if (path.startsWith('GET /transactions/exemplars/'))
    return ['shop', 'hostile']
      .flatMap((name) => madeRuns('POST /checkout', name, nowMs))
      .find(({ id }) => route.endsWith(`/${id}`));
  if (path.startsWith('GET /transactions/'))
    return madeTransactionDetail(
      decodeURIComponent(route.slice('GET /transactions/'.length)),
      resolved(query, nowMs),
      query.get('revision'),
    );
  if (path.startsWith('GET /comparisons/')) return comparison(route.slice('GET /comparisons/'.length), nowMs);
  switch (path) {
    case 'GET /sessions/current':
      return session;
    case 'GET /services':
      return services(nowMs, state);
    case 'GET /services/:service/revisions':
      return revisions(nowMs);
    case 'GET /services/:service/processes':
      return processes(nowMs);
    case 'GET /services/:service/labels':
      return {
        labels:
          service === 'hostile'
            ? HOSTILE_NAMES.filter(Boolean).map((name) => ({ name, values: 3 }))
            : [
                { name: 'plan', values: 3 },
                { name: 'items', values: 5 },
                { name: 'region', values: 2 },
              ],
      };
    case 'GET /timeline':
      return timeline(query, nowMs);
    case 'GET /flame-graph':
      return flameGraph(query, nowMs);
    case 'GET /functions':
      return functions(query, nowMs);
    case 'GET /process-metrics':
      return madeProcessMetrics(resolved(query, nowMs), query.get('process'));
    case 'GET /lines':
      return lines(query, nowMs);
    case 'POST /services/:service/commands':
      return command(body, nowMs);
    case 'GET /transactions':
      return madeTransactions(resolved(query, nowMs));
    case 'GET /measures':
      return measures(query, nowMs);
    case 'POST /comparisons':
      return comparison((body['baseline'] as { service: string }).service === 'hostile' ? 'hostile' : 'done', nowMs);
    case 'POST /api-keys':
      return {
        id: '7',
        name: body['name'],
        kind: body['kind'],
        prefix: 'hk_5fd2',
        createdMs: nowMs,
        lastUsedMs: null,
        key: 'hk_5fd2c19ae07b4a63bd80',
      };
    default:
      return undefined;
  }
}

function resolved(query: URLSearchParams, nowMs: number): ResolvedSelection {
  const at = (name: string, otherwise: string) => {
    const text = query.get(name) ?? otherwise;
    const relative = /^now(?:-(\d+)([smhd]))?$/.exec(text);
    return relative
      ? nowMs - Number(relative[1] ?? 0) * { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 }[(relative[2] ?? 's') as 's']!
      : Number(text);
  };
  const type =
    {
      cpu: 'process_cpu:cpu:microseconds:cpu:microseconds',
      wall: 'wall:wall:microseconds:wall:microseconds',
      inuse_space: 'memory:inuse_space:bytes:space:bytes',
    }[query.get('type') ?? 'cpu'] ?? 'process_cpu:cpu:microseconds:cpu:microseconds';
  return {
    service: query.get('service') ?? '',
    type,
    maxNodes: 16_384,
    fromMs: at('from', 'now-1h'),
    untilMs: at('until', 'now'),
  };
}

const COMMAND_MS = 60_000;
function command({ kind }: Record<string, unknown>, nowMs: number): CommandAnswer {
  const processId = '5f'.repeat(16);
  return {
    id: '1',
    kind: kind as CommandAnswer['kind'],
    processes: [processId],
    durationMs: COMMAND_MS,
    issuedMs: nowMs,
    expiresMs: nowMs + 120_000,
  };
}

function lines(query: URLSearchParams, nowMs: number): LinesAnswer {
  const isHostile = query.get('service') === 'hostile';
  const { maxNodes: _maxNodes, ...selection } = resolved(query, nowMs);
  const file = query.get('file') ?? (isHostile ? HOSTILE_NAMES[1]! : 'src/cart.ts');
  const random = seeded(file.length);
  const made = Array.from({ length: 40 }, (_, at) => {
    const self = at % 3 === 0 ? Math.round(random() * 900_000) : 0;
    return { line: 12 + at * 2, self, total: self + Math.round(random() * 400_000), samples: 1 + Math.round(random() * 90) };
  });
  return {
    selection,
    unit: unitOf(resolved(query, nowMs)).unit,
    package: query.get('package') ?? '',
    file,
    files: [
      { package: '', file: isHostile ? HOSTILE_NAMES[1]! : 'src/cart.ts', self: 6_200_000 },
      { package: 'express', file: 'lib/router/index.js', self: 800_000 },
    ],
    recordings: 6,
    sum: 9_000_000,
    lines: [{ line: 0, self: 40_000, total: 40_000, samples: 4 }, ...made],
  };
}

function unitOf(selection: ResolvedSelection): { unit: string; kind: 'flow' | 'level' } {
  return selection.type.includes('inuse') ? { unit: 'bytes', kind: 'level' } : { unit: 'microseconds', kind: 'flow' };
}

function timeline(query: URLSearchParams, nowMs: number): TimelineAnswer {
  const selection = resolved(query, nowMs);
  const { unit, kind } = unitOf(selection);
  const steps = 120;
  const stepMs = Math.max(10_000, Math.ceil((selection.untilMs - selection.fromMs) / steps / 10_000) * 10_000);
  const startsMs = Array.from(
    { length: Math.ceil((selection.untilMs - selection.fromMs) / stepMs) },
    (_, step) => selection.fromMs + step * stepMs,
  );
  const groups: Record<string, string[]> = { '': [''], revision: [BASELINE, CANDIDATE], plan: ['free', 'pro', 'enterprise', ''] };
  const series = (groups[query.get('groupBy') ?? ''] ?? ['a', 'b', 'c']).map((key, index) => {
    const random = seeded(17 + index);
    return {
      key,
      values: startsMs.map((_, step) =>
        kind === 'level'
          ? 9e7 + 1e6 * (step % 20)
          : (3.2 - index * 0.7 + 0.4 * Math.sin(step / 9) + 0.3 * random() + (step > 70 ? 0.9 : 0)) * stepMs * 1000,
      ),
    };
  });
  const deploy = (revision: string, version: string, share: number): DeployAnswer => ({
    service: selection.service,
    environment: 'production',
    revision,
    version,
    branch: 'main',
    source: 'announced',
    atMs: selection.fromMs + (selection.untilMs - selection.fromMs) * share,
  });
  return {
    selection,
    unit,
    stepMs,
    startsMs,
    series,
    deploys: [deploy(BASELINE, '1.9.3', 0.12), deploy(CANDIDATE, '2.0.0', 0.58)],
  };
}

const trees = new Map<string, MadeTree>();
function treeOf(service: string): MadeTree {
  let tree = trees.get(service);
  if (!tree) {
    tree = service === 'large' ? largeTree(100_000) : madeTree();
    if (service === 'hostile')
      HOSTILE_NAMES.forEach((name, index) => (tree!.functions[index + 1] = { name, package: '', file: `${name}.js` }));
    trees.set(service, tree);
  }
  return tree;
}

/** One environment runs bundles whose maps nobody has uploaded. */
function minifiedOf(query: URLSearchParams): FlameGraphAnswer['minified'] {
  return query.get('environment') === 'bundled' ? [{ revision: 'b41d9e0c', file: 'dist/server.js', hasMap: false }] : [];
}

function flameGraph(query: URLSearchParams, nowMs: number): FlameGraphAnswer {
  const selection = resolved(query, nowMs);
  if (query.get('transaction') === 'nothing')
    return {
      selection,
      ...unitOf(selection),
      depth: [0],
      name: [0],
      self: [0],
      total: [0],
      names: ['total'],
      packages: [''],
      files: [''],
      sum: 0,
      samples: 0,
      truncated: { nodes: 0, value: 0 },
      minified: [],
    };
  const { depth, name, self, total, functions: keys } = treeOf(selection.service);
  return {
    selection,
    ...unitOf(selection),
    depth,
    name,
    self,
    total,
    names: keys.map((key) => key.name),
    packages: keys.map((key) => key.package),
    files: keys.map((key) => key.file),
    sum: total[0]!,
    samples: 48_211,
    truncated: { nodes: 0, value: 0 },
    minified: minifiedOf(query),
  };
}

function functions(query: URLSearchParams, nowMs: number): FunctionsAnswer {
  const selection = resolved(query, nowMs);
  if (query.get('transaction') === 'nothing')
    return { selection, unit: 'microseconds', sum: 0, samples: 0, functions: [], count: 0, minified: [] };
  const tree = treeOf(selection.service);
  const search = (query.get('search') ?? '').toLowerCase();
  const sort = query.get('sort') === 'total' ? 'total' : 'self';
  const found = functionTotals(tree)
    .filter(({ key }) => `${key.name} ${key.file}`.toLowerCase().includes(search))
    .sort((a, b) => b[sort] - a[sort]);
  return {
    selection,
    unit: unitOf(selection).unit,
    sum: tree.total[0]!,
    samples: 48_211,
    count: found.length,
    functions: found.slice(0, Number(query.get('limit') ?? 500)).map(({ key, self, total }) => ({ ...key, self, total })),
    minified: minifiedOf(query),
  };
}

function measures(query: URLSearchParams, nowMs: number): MeasuresAnswer {
  const selection = resolved(query, nowMs);
  const figures = (count: number, micros: number) => ({
    count,
    errors: Math.round(count / 1e5),
    perMinute: count / 60,
    durationMicros: { p50: micros, p95: micros * 3, p99: micros * 5, max: micros * 900, mean: micros, sum: count * micros },
  });
  const names: readonly string[] = selection.service === 'hostile' ? HOSTILE_NAMES.filter(Boolean) : ['parse-cart', 'vat'];
  return {
    selection,
    measures:
      selection.service === 'pyroscope-client'
        ? []
        : names.map((name, at) => ({
            name,
            ...figures(4.2e6, 0.4 + at * 140),
            byRevision: [CANDIDATE, BASELINE].map((revision) => ({ revision, ...figures(2.1e6, 0.4 + at * 140) })),
          })),
  };
}

function comparison(id: string, nowMs: number): ComparisonAnswer | undefined {
  const side = (revision: string): ResolvedSelection => ({
    service: id === 'hostile' ? HOSTILE_NAMES[0]! : 'shop',
    environment: 'production',
    type: id === 'level' ? 'memory:inuse_space:bytes:space:bytes' : 'process_cpu:cpu:microseconds:cpu:microseconds',
    revision,
    maxNodes: 16_384,
    fromMs: nowMs - 1_800_000,
    untilMs: nowMs,
  });
  const head = {
    id,
    createdMs: nowMs - (id === 'pending' ? 48_000 : 3000),
    baseline: side(BASELINE),
    candidate: side(CANDIDATE),
    result: null,
    error: null,
  };
  switch (id) {
    case 'pending':
    case 'running':
      return { ...head, status: id };
    case 'failed':
      return {
        ...head,
        status: 'failed',
        error: {
          code: 'COMPARISON_SIDE_EMPTY',
          message: 'The baseline has no samples between 09:00 and 09:30: choose a range in which it ran.',
        },
      };
    case 'done':
      return { ...head, status: 'done', result: madeComparison() };
    case 'level':
      return { ...head, status: 'done', result: madeComparison({ kind: 'level' }) };
    case 'unchanged':
      return { ...head, status: 'done', result: madeComparison({ unchanged: true }) };
    case 'whole': // no function by itself
      return {
        ...head,
        status: 'done',
        result: { ...madeComparison({ unchanged: true }), cover: madeComparison().cover.slice(0, 1) },
      };
    case 'hostile':
      return { ...head, status: 'done', result: madeComparison({ hostile: true }) };
    default:
      return undefined;
  }
}
