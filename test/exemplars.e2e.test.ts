import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { labelValue } from '@hearth/profile-model';
import type { ExemplarAnswer, TransactionDetailAnswer } from '@hearth/query-contract';
import { NO_SPAN } from '@hearth/wire-format';
import { expect, it } from 'vitest';
import { askJson } from './support/ask.js';
import { startTestPostgres } from './support/postgres.js';
import { startRecordingProxy } from './support/recording-proxy.js';
import { startTestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../apps/agent/test/hosts/exemplars.mjs', import.meta.url));
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

it('a slow transaction of a program is answered with what its agent sent of it, beside figures that do not count it', async () => {
  const postgres = await startTestPostgres();
  const server = await startTestServer({ databaseUrl: postgres.url });
  const proxy = await startRecordingProxy(server.url);
  try {
    const fromMs = Date.now() - 5_000;
    const env = { ...process.env, HEARTH_URL: proxy.url, HEARTH_KEY: server.key, HEARTH_SERVICE: 'slow', HEARTH_REVISION: 'r1' };
    await run(process.execPath, [program], { env });
    const exemplars = proxy.acknowledged.flatMap((batch) => batch.exemplars.map((exemplar) => ({ batch, exemplar })));
    const { batch, exemplar } = exemplars
      .filter(({ exemplar: { context } }) => labelValue(context, 'transaction') === 'order')
      .toSorted((a, b) => b.exemplar.durationMicros - a.exemplar.durationMicros)[0]!;

    const range = `service=slow&from=${fromMs}&until=${Date.now() + 60_000}`;
    const detail = await until(async () => {
      const answer = await askJson<TransactionDetailAnswer>(server, `/api/v1/transactions/order?${range}`);
      return answer.exemplars.length > 0 ? answer : undefined;
    });
    const counts = proxy.acknowledged.flatMap(({ transactions, labelSets }) =>
      transactions.filter(({ labelSet }) => labelValue(labelSets[labelSet]!, 'transaction') === 'order'),
    );
    expect(detail.transaction.count).toBe(sum(counts.map(({ count }) => count)));
    expect(detail.transaction.durationMicros.sum).toBe(sum(counts.map(({ durationSumMicros }) => durationSumMicros)));

    const answer = await askJson<ExemplarAnswer>(
      server,
      `/api/v1/transactions/exemplars/${detail.exemplars[0]!.id}?service=slow`,
    );
    expect(answer).toMatchObject({
      transaction: 'order',
      revision: 'r1',
      outcome: exemplar.outcome,
      startMs: exemplar.startMs,
      durationMicros: exemplar.durationMicros,
      context: exemplar.context,
      cpuMicros: exemplar.cpuMicros,
      sampleCount: exemplar.sampleCount,
      waitCount: 1,
      awaitedMicros: exemplar.awaitedMicros,
    });
    expect(answer.spans).toEqual({
      ...exemplar.spans,
      parent: [NO_SPAN, NO_SPAN, 1, NO_SPAN],
      startMicros: [...exemplar.spans.startMicros],
      durationMicros: [...exemplar.spans.durationMicros],
    });
    expect(answer.samples.startMicros).toEqual([...exemplar.samples.startMicros]);
    expect(answer.samples.cpuMicros).toEqual([...exemplar.samples.cpuMicros]);
    const leaf = (stack: number): string => answer.functions.name[answer.stacks.function[stack]!]!;
    expect(answer.samples.stack.map(leaf)).toEqual(
      [...exemplar.samples.stack].map((stack) => batch.functions.name[batch.stacks.functionRow[stack]!]! || '(anonymous)'),
    );
    expect(answer.waits.stack.map(leaf)).toEqual(['timer setTimeout']);
  } finally {
    await proxy.stop();
    await server.stop();
    await postgres.stop();
  }
}, 120_000);
