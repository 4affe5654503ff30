/** `kill -9` of api, workers and Postgres at random, round after round, and every total compared after each. `-- kill-rounds [--rounds 200] [--seed N]` */
import { runKillRounds } from '../../test/support/kill-rounds.js';
import { randomNumbers } from '../../test/support/raw-flushes.js';
import { printFigures } from './agent/figures.js';
import { numberOption } from './store/number-option.js';
import { startBenchPostgres } from './store/bench-postgres.js';

const rounds = numberOption('rounds', 200);
const seed = numberOption('seed', Date.now() % 1_000_000);
const BATCHES_PER_ROUND = 12;

const random = randomNumbers(seed);
const postgres = await startBenchPostgres();
const startMs = Date.now();
try {
  const killed = await runKillRounds({
    databaseUrl: await postgres.createDatabase('bench_kill'),
    postgresPid: postgres.pid,
    rounds,
    batchesPerRound: BATCHES_PER_ROUND,
    workers: 2,
    victim: (names) => names[Math.floor(random() * names.length)]!,
    random,
    onRound: (round, victim) => {
      if (round % 10 === 0) console.error(`round ${round}: ${victim} killed, all totals exact`);
    },
  });
  printFigures({
    rounds,
    seed,
    batches: rounds * BATCHES_PER_ROUND,
    ...killed,
    wrong_totals: 0,
    minutes: Math.round((Date.now() - startMs) / 60_000),
  });
} catch (error) {
  console.error(`seed ${seed}`);
  throw error;
} finally {
  await postgres.stop();
}
