import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { encodeBatch } from '@hearth/wire-format';
import pg from 'pg';
import { allBuilt } from './all-built.js';
import { askJson } from './ask.js';
import { madeExemplar } from './exemplar-batch.js';
import { madeBatch } from './made-batch.js';
import { isAcknowledged } from './send-batch.js';
import { startTestServer, type TestServer } from './server.js';
import { until } from './until.js';

export interface KillPlan {
  readonly databaseUrl: string;
  readonly postgresPid: () => number;
  readonly rounds: number;
  readonly batchesPerRound: number;
  readonly workers: number;
  /** Who is killed next. */
  readonly victim: (names: readonly string[]) => string;
  /** 0 to 1: when in the round, and to which minute a batch belongs. */
  readonly random: () => number;
  readonly onRound?: (round: number, killed: string) => void;
}

/** The batches of all rounds fall into so many minutes, so that most of them come late to a minute that has a segment already. */
const MINUTES = 7;
const SENDERS = 4;
/** A round takes about as long; the kill comes anywhere in it. */
const ROUND_MS = 1_500;

/**
 * Rounds of `kill -9`, each of an api, a worker or Postgres, while batches are sent and old minutes are built again and again. A batch is sent until it is
 * acknowledged. After every round the totals of all batches so far are compared with what was sent.
 *
 * @returns How often each was killed.
 * @throws {Error} with the round, as soon as one microsecond, sample, transaction or exemplar is missing or twice there
 */
export async function runKillRounds(plan: KillPlan): Promise<Record<string, number>> {
  const { databaseUrl, postgresPid, rounds, batchesPerRound, random } = plan;
  const startMs = Math.floor(Date.now() / 60_000) * 60_000 - (MINUTES + 3) * 60_000;
  const processId = randomBytes(16).toString('hex');
  const servers = new Map<string, TestServer>();
  const startServer = async (name: string) =>
    servers.set(name, await startTestServer({ databaseUrl, role: name === 'api' ? 'api' : 'worker' }));
  const killed: Record<string, number> = {};
  try {
    await startServer('api');
    for (let worker = 1; worker <= plan.workers; worker += 1) await startServer(`worker ${worker}`);
    const names = ['postgres', ...servers.keys()];
    let sent = 0;
    for (let round = 1; round <= rounds; round += 1) {
      const sequences = Array.from({ length: batchesPerRound }, () => (sent += 1));
      const victim = plan.victim(names);
      const sending = Promise.all(
        Array.from({ length: SENDERS }, async () => {
          for (let sequence = sequences.shift(); sequence !== undefined; sequence = sequences.shift()) {
            const minute = Math.floor(random() * MINUTES);
            const batch = madeBatch({ processId, sequence, startMs: startMs + minute * 60_000 });
            const exemplars = [madeExemplar({ startMs: batch.startMs })];
            await sendUntilAcknowledged(() => servers.get('api')!, gzipSync(encodeBatch({ ...batch, exemplars })));
            await sleep((ROUND_MS * SENDERS) / batchesPerRound / 2);
          }
        }),
      );
      await sleep(random() * ROUND_MS);
      if (victim === 'postgres') process.kill(postgresPid(), 'SIGKILL');
      else {
        await servers.get(victim)!.kill();
        await startServer(victim);
      }
      killed[victim] = (killed[victim] ?? 0) + 1;
      await sending;
      await checkTotals(servers.get('api')!, startMs, sent, `round ${round}, ${victim} killed`);
      plan.onRound?.(round, victim);
    }
    // And when everything is in segments.
    await allBuilt(databaseUrl);
    await checkTotals(servers.get('api')!, startMs, sent, 'at the end');
    await checkExemplars(databaseUrl, sent);
  } finally {
    for (const server of servers.values()) await server.stop();
  }
  return killed;
}

async function checkTotals(api: TestServer, startMs: number, sent: number, when: string): Promise<void> {
  const range = `service=made&from=${startMs}&until=${startMs + MINUTES * 60_000}`;
  // The last kill may have been a moment ago.
  const [{ functions, sum }, { transactions }] = await until(() =>
    Promise.all([
      askJson<{ functions: { name: string; self: number }[]; sum: number }>(api, `/api/v1/functions?${range}&limit=10000`),
      askJson<{ transactions: { count: number }[] }>(api, `/api/v1/transactions?${range}`),
    ]),
  );
  const selfOf = new Map(functions.map(({ name, self }) => [name, self]));
  const faults: string[] = [];
  for (let sequence = 1; sequence <= sent; sequence += 1) {
    const self = selfOf.get(`batch ${sequence}`);
    if (self !== 1_000 + sequence) faults.push(`batch ${sequence} has ${self} microseconds instead of ${1_000 + sequence}`);
  }
  const expectedSum = sent * 1_000 + (sent * (sent + 1)) / 2;
  if (sum !== expectedSum) faults.push(`the sum is ${sum} instead of ${expectedSum}`);
  const count = transactions.reduce((total, one) => total + one.count, 0);
  if (count !== sent) faults.push(`${count} transactions instead of ${sent}`);
  if (faults.length > 0) throw new Error(`${when}: ${faults.slice(0, 5).join('; ')}`);
}

/** Each batch has one of a name of its own. */
async function checkExemplars(databaseUrl: string, sent: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT count(*)::int AS n, count(DISTINCT name_hash)::int AS names FROM exemplar');
    const { n, names } = rows[0] as { n: number; names: number };
    if (n !== sent || names !== sent) throw new Error(`at the end: ${n} exemplars of ${names} transactions instead of ${sent}`);
  } finally {
    await client.end();
  }
}

/** What an agent does, without its patience. */
async function sendUntilAcknowledged(server: () => TestServer, body: Buffer): Promise<void> {
  while (!(await isAcknowledged(server(), body))) await sleep(50);
}
