/**
 * The architecture as rules. `npm run lint` fails when code disagrees.
 * Read top to bottom: libraries, agent, server features, dashboard, tests.
 *
 * Needs TypeScript below 7: with a newer one dependency-cruiser skips every .ts file and reports
 * success, so scripts/lint.mjs also checks that every source file was cruised.
 */

// Left to right is the direction data flows. A feature may use features to its left.
// A folder that is not listed here has no place in the order and is not checked against it.
const FEATURE_ORDER = [
  'access',
  'limits',
  'catalog',
  'commands',
  'source-maps',
  'stacks',
  'transactions',
  'process-metrics',
  'lines',
  'profile-store',
  'ingest',
  'rollup',
  'selection',
  'query',
  'comparison',
  'releases',
  'alerts',
  'retention',
  'health',
  'dashboard-host',
];
// Neighbours in the order that still must not know each other.
const STRANGERS = [
  ['rollup', 'ingest'],
  ['comparison', 'ingest'],
  ['query', 'ingest'],
  ['comparison', 'query'],
];

const features = 'apps/server/src/features';
const tests = '[.]test[.]tsx?$|(^|/)test/|/testing/|^bench/';

const featureOrder = FEATURE_ORDER.slice(0, -1).map((feature, i) => ({
  name: `feature-order-${feature}`,
  comment: `${feature} comes before ${FEATURE_ORDER.slice(i + 1).join(', ')} and must not use them`,
  severity: 'error',
  from: { path: `^${features}/${feature}/` },
  to: { path: `^${features}/(${FEATURE_ORDER.slice(i + 1).join('|')})/` },
}));
const strangers = STRANGERS.map(([from, to]) => ({
  name: `strangers-${from}-${to}`,
  comment: `${from} meets ${to} only through the store`,
  severity: 'error',
  from: { path: `^${features}/${from}/` },
  to: { path: `^${features}/${to}/` },
}));

const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: tests },
  to: { path: '^(apps|libs)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'types count too: a type cycle is still two files that cannot be read apart',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere is a fault or a missing dependency',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-orphans',
      comment: 'a file nobody uses is deleted',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '[.](test|bench)[.]tsx?$',
          '/migrations/',
          '/main[.]tsx?$',
          '/preload[.]ts$',
          '^apps/agent/src/pyroscope[.]ts$',
          '^apps/agent/src/integrations/(koa|hono|graphql|bullmq|lambda)[.]ts$',
          '[.]d[.]ts$',
          'config[.]ts$',
          '/test/hosts/',
        ],
      },
      to: {},
    },

    // profile-model ← wire-format, profile-formats, profile-diff ← query-contract
    only('profile-model-stands-alone', 'the model uses nothing', '^libs/profile-model/', '^libs/profile-model/'),
    only(
      'wire-format-uses-model',
      'a batch is written in the words of the model',
      '^libs/wire-format/',
      '^libs/(wire-format|profile-model)/',
    ),
    only(
      'profile-formats-uses-model',
      'foreign files become profiles, and know nothing of batches',
      '^libs/profile-formats/',
      '^libs/(profile-formats|profile-model)/',
    ),
    only(
      'profile-diff-uses-model',
      'statistics know profiles, not where they were stored',
      '^libs/profile-diff/',
      '^libs/(profile-diff|profile-model)/',
    ),
    only(
      'query-contract-uses-model-and-diff',
      'answers are made of profiles and comparisons',
      '^libs/query-contract/',
      '^libs/(query-contract|profile-model|profile-diff)/',
    ),
    {
      name: 'libs-run-anywhere',
      comment: 'libraries run in Node and in the browser: no Node built-ins, no framework',
      severity: 'error',
      from: { path: '^libs/', pathNot: tests },
      to: { path: '(^|node_modules/)(@nestjs|typeorm|pg|bullmq|ioredis|react|react-dom)(/|$)' },
    },
    {
      name: 'libs-no-node-core',
      comment: 'libraries run in the browser too',
      severity: 'error',
      from: { path: '^libs/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },

    only(
      'agent-uses',
      'the agent carries no server or query code',
      '^apps/agent/',
      '^apps/agent/|^libs/(profile-model|wire-format|profile-formats)/',
    ),
    only(
      'cli-uses',
      'no server code; revision and source maps are found by the very code of the agent',
      '^apps/cli/',
      '^apps/cli/|^libs/|^apps/agent/src/(identity/|options/environment[.]ts|source-maps/(mapping-url|map-filter)[.]ts)',
    ),
    only(
      'dashboard-uses',
      'the dashboard knows the query contract, not the wire or the server',
      '^apps/dashboard/',
      '^apps/dashboard/|^libs/(profile-model|profile-diff|query-contract)/',
    ),
    only('server-uses-no-other-app', 'apps meet only through libraries', '^apps/server/', '^apps/server/|^libs/'),

    ...featureOrder,
    ...strangers,
    {
      name: 'feature-front-door',
      comment: 'enter another feature through its index.ts',
      severity: 'error',
      from: { path: `^${features}/([^/]+)/`, pathNot: tests },
      to: { path: `^${features}/[^/]+/`, pathNot: [`^${features}/$1/`, '/index[.]ts$'] },
    },
    {
      name: 'platform-knows-no-feature',
      comment: 'infrastructure is below features',
      severity: 'error',
      from: { path: '^apps/server/src/platform/' },
      to: { path: `^${features}/` },
    },
    {
      name: 'operations-know-no-feature',
      comment: 'a backup holds every table alike, so that a new one needs no word here',
      severity: 'error',
      from: { path: '^apps/server/src/operations/', pathNot: tests },
      to: { path: `^${features}/|^apps/server/src/(roles|hearth-server)` },
    },
    {
      name: 'operations-are-commands',
      comment: 'only main enters them: a running server neither backs up nor restores',
      severity: 'error',
      from: { path: '^apps/server/src/(?!operations/|main[.]ts)', pathNot: tests },
      to: { path: '^apps/server/src/operations/' },
    },
    {
      name: 'migrations-are-history',
      comment: 'a migration must not change when code changes',
      severity: 'error',
      from: { path: '/migrations/' },
      to: { path: '^(apps|libs)/', pathNot: '/migrations/' },
    },
    {
      name: 'entities-behind-repositories',
      comment: 'only the repository names its table, and the test that opens a database for it',
      severity: 'error',
      from: { path: '^apps/server/src/', pathNot: '[.]repository[.]ts$|[.]module[.]ts$|[.]test[.]ts$' },
      to: { path: '[.]entity[.]ts$' },
    },
    {
      name: 'controllers-hold-no-sql',
      comment: 'HTTP and jobs stay thin',
      severity: 'error',
      from: { path: '[.](controller|processor)[.]ts$' },
      to: { path: '[.](repository|entity)[.]ts$|^(node_modules/)?(pg|typeorm)/' },
    },

    {
      name: 'dashboard-layers',
      comment: 'pages use features; features use ui, format, url-state',
      severity: 'error',
      from: { path: '^apps/dashboard/src/(features|ui|format|url-state|api)/' },
      to: { path: '^apps/dashboard/src/pages/' },
    },
    {
      name: 'dashboard-features-apart',
      severity: 'error',
      from: { path: '^apps/dashboard/src/features/([^/]+)/' },
      to: { path: '^apps/dashboard/src/features/', pathNot: '^apps/dashboard/src/features/$1/' },
    },
    {
      name: 'ui-knows-nothing',
      comment: 'ui and format draw what they are given',
      severity: 'error',
      from: { path: '^apps/dashboard/src/(ui|format)/' },
      to: { path: '^(apps/dashboard/src/(?!ui|format)|libs/(?!profile-model))' },
    },

    {
      name: 'tests-are-leaves',
      comment: 'shipped code never reaches test code',
      severity: 'error',
      from: { pathNot: tests },
      to: { path: tests },
    },
    {
      name: 'library-front-door',
      comment: 'import a library by name, not by path',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/$2/', '/src/index[.]ts$', '/src/testing/index[.]ts$'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/fixtures/|/host-programs/|/dist/|/[.]types/|/dist-pack/' },
    tsPreCompilationDeps: true,
    preserveSymlinks: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['hearth-source', 'import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
};
