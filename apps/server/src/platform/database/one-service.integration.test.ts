import { profileFromText } from '@hearth/profile-model/testing';
import type { ComparisonAnswer, TransactionDetailAnswer } from '@hearth/query-contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { deleteAtOnce } from '../../../../../test/support/delete-at-once.js';
import { exemplarBatch, madeExemplar } from '../../../../../test/support/exemplar-batch.js';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';
import { sendBatch } from '../../../../../test/support/send-batch.js';
import { KEEP_STATEMENTS, keptStatements } from '../../../../../test/support/statements.js';
import { until } from '../../../../../test/support/until.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { Ticks } from '../queue/index.js';
import { connectDataSource } from './data-source.js';
import { runMigrations } from './run-migrations.js';

/** Of a plan as EXPLAIN gives it: only what is looked at. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  /** Of a CTE Scan. */
  readonly 'CTE Name'?: string;
  /** `CTE name` or `SubPlan 1`. */
  readonly 'Subplan Name'?: string;
  readonly Output?: readonly string[];
  readonly Plans?: readonly PlanNode[];
  readonly [key: string]: unknown;
}

const UNDEFINED_TABLE = '42P01';
const CONDITIONS = ['Index Cond', 'Recheck Cond', 'Filter', 'Hash Cond', 'Merge Cond', 'Join Filter'];
const T = Math.floor(Date.now() / 60_000) * 60_000 - 900_000;

let postgres: TestPostgres;
let url: string;
/** Statements about tables that may be no more. */
let migrating: Set<string>;
let server: QueryServer;
let database: DataSource;
beforeAll(async () => {
  postgres = await startTestPostgres({ settings: KEEP_STATEMENTS });
  url = await postgres.createDatabase();
  await runMigrations(url, MIGRATIONS);
  migrating = new Set(keptStatements(postgres, url));
  server = await QueryServer.start(url, 'all');
  database = await connectDataSource({ url });
});
afterAll(async () => {
  await database?.destroy();
  await server?.stop();
  await postgres?.stop();
});

/** Tables of service data, and the partitions of those that have some. */
async function dataTables(): Promise<Set<string>> {
  const rows = (await database.query(`
    SELECT relname AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attname = 'service_id'`)) as { name: string }[];
  return new Set(rows.map(({ name }) => name));
}

/** Two services, and every kind of question about them. */
async function useEverything(): Promise<void> {
  const profile = profileFromText(`
    40                   20
    {transaction=GET /}  {transaction=report}
    main                 main
    read                 parse
  `);
  for (const service of ['shop', 'other'])
    for (const revision of ['r1', 'r2'])
      for (let flush = 0; flush < 4; flush += 1)
        await server.store({
          service,
          revision,
          process: `${revision}p`,
          startMs: T + flush * 30_000,
          profiles: [profile],
          transactions: [{ labels: { transaction: 'GET /' }, durationsMicros: [1_000, 2_000] }],
          series: { rss_bytes: 1e6 },
        });
  // The second batch takes the places of the first one's.
  for (const sequence of [1, 2]) {
    const exemplars = [1, 2, 3, 4, 5].map((run) => madeExemplar({ durationMicros: sequence * run * 1_000 }));
    await sendBatch(server.address, exemplarBatch({ processId: '1'.repeat(32), sequence, startMs: T }, ...exemplars));
  }
  const range = `from=${T}&until=${T + 120_000}`;
  const { body: slow } = await server.get<TransactionDetailAnswer>(`/api/v1/transactions/job?service=made&${range}`);
  expect(slow.exemplars).toHaveLength(5);
  expect((await server.get(`/api/v1/transactions/exemplars/${slow.exemplars[0]!.id}`)).status).toBe(200);
  for (const path of [
    'services',
    'services/shop/revisions',
    'services/shop/processes',
    'services/shop/labels',
    'services/shop/labels/transaction/values',
    `flame-graph?service=shop&${range}`,
    `flame-graph?service=shop&revision=r1&transaction=GET%20%2F&from=${T + 1_000}&until=${T + 100_000}`,
    `functions?service=shop&${range}`,
    `timeline?service=shop&groupBy=revision&${range}`,
    `transactions?service=shop&${range}`,
    `transactions/GET%20%2F?service=shop&${range}`,
    `deploys?${range}`,
    'limits',
    'retention',
    'deletions',
  ])
    expect((await server.get(`/api/v1/${path}`)).status, path).toBe(200);
  await server.getBytes(`/api/v1/export?service=shop&format=pprof&${range}`);

  const side = (revision: string) => ({ service: 'shop', revision, from: String(T), until: String(T + 120_000) });
  const asked = await server.post<ComparisonAnswer>('/api/v1/comparisons', { baseline: side('r1'), candidate: side('r2') });
  await until(async () => {
    const { body } = await server.get<ComparisonAnswer>(`/api/v1/comparisons/${asked.body.id}`);
    return body.status === 'done' || undefined;
  });
  await until(async () => {
    const pending = 'SELECT FROM profile_window WHERE sequence > built_sequence';
    return ((await database.query(pending)) as unknown[]).length === 0 || undefined;
  });

  const policy = { transactions: 1, series: 1, comparisons: 1 };
  expect((await server.post('/api/v1/retention/estimate', policy)).status).toBe(200);
  expect((await server.put('/api/v1/retention', policy)).status).toBe(200);
  await server.app.get(Ticks, { strict: false }).beforeApplicationShutdown();
  expect(await deleteAtOnce(server, '/api/v1/services/other')).toMatchObject({ status: 'done' });
}

/** Reads of a statement as the planner sees it; `undefined`: it has no plan (a lock, a setting, a COPY that loads). */
async function planOf(statement: string): Promise<PlanNode | undefined> {
  const query = /^COPY \((.*)\) TO STDOUT/s.exec(statement)?.[1] ?? statement;
  if (!/^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE)\b/i.test(query)) return undefined;
  try {
    const [row] = (await database.query(`EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) ${query}`)) as [
      { 'QUERY PLAN': [{ Plan: PlanNode }] },
    ];
    return row['QUERY PLAN'][0].Plan;
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return undefined; // a partition that was dropped since
    throw error;
  }
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/**
 * The data tables that one plan reads, in groups that are tied to one another by service_id: `a.service_id = b.service_id`, or both
 * equal to the same parameter or number. More than one group: rows of two services can meet.
 */
function groupsByService(plan: PlanNode, dataTables: ReadonlySet<string>): string[][] {
  const nodes = nodesOf(plan);
  const aliasesOf = (isWanted: (table: string) => boolean) =>
    new Set(
      nodes
        .filter((node) => node['Node Type'].includes('Scan') && isWanted(node['Relation Name'] ?? ''))
        .map((node) => node.Alias!),
    );
  const groupOf = new Map<string, Set<string>>();
  const groupWith = (name: string) => groupOf.get(name) ?? groupOf.set(name, new Set([name])).get(name)!;
  const tie = (a: string, b: string) => {
    const joined = new Set([...groupWith(a), ...groupWith(b)]);
    for (const name of joined) groupOf.set(name, joined);
  };

  const services = aliasesOf((table) => table === 'service');
  const subplan = (name: string) => nodes.find((node) => node['Subplan Name'] === name);
  /** What a column is of: a table's service, a column of a subplan that is one, a parameter or number; `undefined`: something else. */
  const serviceOf = (expression: string): string | undefined => {
    const [, alias, column] = /^(\w+)\.(service_id|id)$/.exec(expression) ?? [];
    if (column === 'service_id' || (column === 'id' && services.has(alias!))) return alias;
    const [, name, place] = /^\(hashed (SubPlan \d+)\)\.col(\d+)$/.exec(expression) ?? [];
    if (name !== undefined) return serviceOf(subplan(name)?.Output?.[Number(place) - 1] ?? '');
    return /^(?:\$\d+|'?\d+'?(?:::bigint)?)$/.test(expression) ? `the service ${expression}` : undefined;
  };
  const SIDE = String.raw`\(hashed SubPlan \d+\)\.col\d+|\w+\.\w+|\$\d+|'?\d+'?(?:::bigint)?`;
  for (const text of nodes.flatMap((node) => CONDITIONS.map((name) => node[name]))) {
    if (typeof text !== 'string') continue;
    for (const [, left, right] of text.matchAll(new RegExp(`\\((${SIDE}) = (${SIDE})\\)`, 'g'))) {
      const [a, b] = [serviceOf(left!), serviceOf(right!)];
      if (a !== undefined && b !== undefined) tie(a, b);
    }
  }
  // A row of a named subquery is one of the table it is made of, unless two of its rows can meet.
  for (const node of nodes) {
    const scans = nodes.filter((one) => one['CTE Name'] === node['CTE Name']);
    if (node['Node Type'] !== 'CTE Scan' || scans.length > 1) continue;
    const source = subplan(`CTE ${node['CTE Name']}`)
      ?.Output?.map(serviceOf)
      .find((name) => name !== undefined);
    if (source !== undefined) tie(node.Alias!, source);
  }

  // Partitions of a table are read one after another: their rows do not meet there.
  for (const node of nodes.filter((one) => one['Node Type'].endsWith('Append'))) {
    const parts = (node.Plans ?? []).flatMap(({ Alias }) => Alias ?? []);
    for (const part of parts) tie(parts[0]!, part);
  }

  const aliases = [...aliasesOf((table) => dataTables.has(table))];
  const groups = new Set(aliases.map(groupWith));
  return [...groups].map((group) => aliases.filter((alias) => group.has(alias)));
}

describe('the statements of a server', () => {
  it('never let rows of two services meet', async () => {
    await useEverything();
    const tables = await dataTables();
    const joins: string[] = [];
    const faults: object[] = [];
    let read = 0;
    for (const statement of keptStatements(postgres, url).filter((one) => !migrating.has(one))) {
      const plan = await planOf(statement);
      if (plan === undefined) continue;
      read += 1;
      const groups = groupsByService(plan, tables);
      if (groups.flat().length > 1) joins.push(statement);
      if (groups.length > 1) faults.push({ statement, groups });
    }
    expect(faults).toEqual([]);
    // What is known to join was looked at.
    expect(read).toBeGreaterThan(40);
    for (const table of ['block', 'series_name', 'exemplar'])
      expect(joins.filter((statement) => statement.includes(table))).not.toEqual([]);
  });

  it('would be found out', async () => {
    const tables = await dataTables();
    const groups = async (query: string) => groupsByService((await planOf(query))!, tables).length;
    expect(await groups('SELECT FROM process p JOIN revision r ON r.id = p.revision_id')).toBe(2);
    expect(await groups('SELECT FROM process p JOIN revision r ON r.id = p.revision_id WHERE p.service_id = $1')).toBe(2);
    expect(await groups('SELECT FROM process p, revision r WHERE p.service_id = 1 AND r.service_id = 2')).toBe(2);
    expect(await groups('SELECT FROM process WHERE revision_id IN (SELECT id FROM revision)')).toBe(2);
    expect(await groups('SELECT FROM profile_window w JOIN profile_window v USING (window_start_ms)')).toBe(2);
    expect(
      await groups(
        'WITH a AS MATERIALIZED (SELECT * FROM process) SELECT FROM a JOIN a b USING (id) JOIN revision r ON r.service_id = b.service_id',
      ),
    ).toBe(2);
    expect(await groups('SELECT FROM process p JOIN revision r ON r.id = p.revision_id AND r.service_id = p.service_id')).toBe(1);
    expect(await groups('SELECT FROM process p, revision r WHERE p.service_id = $1 AND r.service_id = $1')).toBe(1);
  });
});
