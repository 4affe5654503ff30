import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runKillRounds } from './support/kill-rounds.js';
import { startTestPostgres, type TestPostgres } from './support/postgres.js';
import { randomNumbers } from './support/raw-flushes.js';

/** `npm run bench -- kill-rounds` does two hundred. */
const ROUNDS = 5;
/** Another one each time; a round that failed is begun again with its own, though the machine's part of the chance stays. */
const SEED = Date.now() % 1_000_000;

describe('acknowledged batches', () => {
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await startTestPostgres({ durable: true });
  });
  afterAll(async () => {
    await postgres?.stop();
  });

  it(`are each stored once and built once, whenever an api, a worker or Postgres is killed (seed ${SEED})`, async () => {
    // In turns, so that five rounds meet all of them; when in the round is left to chance.
    let asked = 0;
    const killed = await runKillRounds({
      databaseUrl: await postgres.createDatabase(),
      postgresPid: postgres.pid,
      rounds: ROUNDS,
      batchesPerRound: 20,
      workers: 2,
      victim: (names) => names[asked++ % names.length]!,
      random: randomNumbers(SEED),
    });
    expect(Object.keys(killed).sort()).toEqual(['api', 'postgres', 'worker 1', 'worker 2']);
  }, 600_000);
});
