/** Slow runs of the made shop: one with everything, one that failed while it waited, one too short to say much, one that is gone. */
import { labelSet, type LabelSet } from '@hearth/profile-model';
import type { ExemplarAnswer, ExemplarOutcome, ExemplarSummaryAnswer } from '@hearth/query-contract';
import { CANDIDATE, HOSTILE_NAMES, seeded } from './made-shop.js';

/** Of an address that was copied long ago. */
export const GONE_RUN = '1-29000000-00000000-0000-4000-8000-000000000000';

const PERIOD = 10_100;
const PREVIEWED = 6;

class MadeTables {
  readonly functions = { name: [] as string[], package: [] as string[], file: [] as string[] };
  readonly stacks = { parent: [] as number[], function: [] as number[] };

  /** `name@file`, `name@package:file`, root first. */
  stack(...path: readonly string[]): number {
    return path.reduce((parent, text) => {
      const [name = '', place = ''] = text.split('@');
      const [packageName = '', file = ''] = place.includes(':') ? place.split(':') : ['', place];
      const row = this.#function(name, packageName, file);
      const known = this.stacks.parent.findIndex((of, at) => of === parent && this.stacks.function[at] === row);
      if (known >= 0) return known;
      this.stacks.function.push(row);
      return this.stacks.parent.push(parent) - 1;
    }, -1);
  }

  #function(name: string, packageName: string, file: string): number {
    const { functions } = this;
    const known = functions.name.findIndex(
      (of, at) => of === name && functions.package[at] === packageName && functions.file[at] === file,
    );
    if (known >= 0) return known;
    functions.package.push(packageName);
    functions.file.push(file);
    return functions.name.push(name) - 1;
  }
}

type Span = readonly [name: string, parent: number, startMs: number, ms: number, outcome?: ExemplarOutcome, inputs?: LabelSet];
type Wait = readonly [stack: number, startMs: number, ms: number, span: number];
/** A part of the time in which it ran: on stacks of this, in this span. */
type Burst = readonly [startMs: number, ms: number, span: number, stacks: readonly number[]];

const ENTRY = ['parserOnIncoming@node:_http_server', 'handle@express:lib/router/index.js', 'checkout@src/checkout.ts'];

function checkout(): Pick<ExemplarAnswer, 'functions' | 'stacks' | 'spans' | 'samples' | 'waits'> {
  const tables = new MadeTables();
  const at = (...path: string[]) => tables.stack(...ENTRY, ...path);
  const price = (...path: string[]) => at('priceCart@src/cart.ts', ...path);
  const spans: Span[] = [
    ['load cart', -1, 4, 96, 'ok', labelSet({ cart: 'c-81723', items: '214' })],
    ['price items', -1, 101, 170, 'ok', labelSet({ currency: 'EUR', discounts: '12' })],
    ['apply discounts', 1, 140, 118, 'ok', labelSet({ rules: '12' })],
    ['charge card', -1, 274, 128, 'error', labelSet({ attempt: '2', provider: 'acme-pay' })],
    ['write order', -1, 404, 9],
  ];
  const waits: Wait[] = [
    [at('loadCart@src/cart.ts', 'query@pg:lib/client.js', 'pg SELECT cart'), 6, 38, 0],
    [at('loadCart@src/cart.ts', 'query@pg:lib/client.js', 'pg SELECT item'), 46, 51, 0],
    [at('loadCart@src/cart.ts', 'get@ioredis:built/Redis.js', 'ioredis GET'), 46, 4, 0],
    [at('charge@src/payment.ts', 'fetch POST pay.example'), 276, 124, 3],
    [at('saveOrder@src/order.ts', 'query@pg:lib/client.js', 'pg INSERT order'), 405, 6, 4],
  ];
  const discounts = [
    price('applyDiscounts@src/discount.ts', 'matches@src/discount.ts'),
    price('applyDiscounts@src/discount.ts', 'matches@src/discount.ts', 'fromISO@luxon:src/datetime.js'),
    price('applyDiscounts@src/discount.ts', 'sortBy@lodash:sortBy.js'),
  ];
  const bursts: Burst[] = [
    [0, 5, -1, [at('authenticate@src/auth.ts', 'verify@node:crypto')]],
    [97, 4, 0, [at('loadCart@src/cart.ts', 'parseRow@pg:lib/query.js')]],
    [101, 39, 1, [price('toCents@src/money.ts'), price('groupBy@lodash:groupBy.js')]],
    [140, 118, 2, discounts],
    [258, 13, 1, [price('safeParse@zod:v4/core/parse.js')]],
    [401, 3, 3, [at('charge@src/payment.ts', 'refused@src/payment.ts')]],
  ];
  const random = seeded(11);
  const samples = bursts.flatMap(([startMs, ms, span, stacks]) => {
    let last = stacks[0]!;
    return Array.from({ length: Math.max(1, Math.round((ms * 1_000) / PERIOD)) }, (_, sample) => {
      if (random() < 0.4) last = stacks[Math.floor(random() * stacks.length)]!;
      const wallMicros = Math.min(PERIOD, ms * 1_000);
      return { stack: last, startMicros: startMs * 1_000 + sample * PERIOD, wallMicros, cpuMicros: wallMicros - 200, span };
    });
  });
  return {
    functions: tables.functions,
    stacks: tables.stacks,
    spans: {
      name: spans.map(([name]) => name),
      parent: spans.map(([, parent]) => parent),
      startMicros: spans.map(([, , startMs]) => startMs * 1_000),
      durationMicros: spans.map(([, , , ms]) => ms * 1_000),
      outcome: spans.map(([, , , , outcome = 'ok']) => outcome),
      inputs: spans.map(([, , , , , inputs = []]) => inputs),
    },
    samples: {
      stack: samples.map(({ stack }) => stack),
      startMicros: samples.map(({ startMicros }) => startMicros),
      wallMicros: samples.map(({ wallMicros }) => wallMicros),
      cpuMicros: samples.map(({ cpuMicros }) => cpuMicros),
      span: samples.map(({ span }) => span),
    },
    waits: {
      stack: waits.map(([stack]) => stack),
      startMicros: waits.map(([, startMs]) => startMs * 1_000),
      durationMicros: waits.map(([, , ms]) => ms * 1_000),
      span: waits.map(([, , , span]) => span),
    },
  };
}

/** Every text is a hostile name. */
function hostile(run: ExemplarAnswer): ExemplarAnswer {
  const of = (row: number) => HOSTILE_NAMES[row % HOSTILE_NAMES.length]!;
  const labels = HOSTILE_NAMES.map((name): [string, string] => [name, name]);
  return {
    ...run,
    functions: {
      ...run.functions,
      name: run.functions.name.map((_, row) => of(row)),
      file: run.functions.file.map((_, row) => of(row)),
    },
    spans: { ...run.spans, name: run.spans.name.map((_, row) => of(row)), inputs: run.spans.inputs.map(() => labels) },
    context: labels,
    traceId: of(0),
    revision: of(0),
    host: of(0),
  };
}

const EMPTY: Pick<ExemplarAnswer, 'spans' | 'samples' | 'waits'> = {
  spans: { name: [], parent: [], startMicros: [], durationMicros: [], outcome: [], inputs: [] },
  samples: { stack: [], startMicros: [], wallMicros: [], cpuMicros: [], span: [] },
  waits: { stack: [], startMicros: [], durationMicros: [], span: [] },
};

/** The slowest first. */
export function madeRuns(transaction: string, service: string, nowMs: number): ExemplarAnswer[] {
  const parts = checkout();
  const run = (at: number, change: Partial<ExemplarAnswer>): ExemplarAnswer => {
    const made: ExemplarAnswer = {
      ...parts,
      id: `${service === 'hostile' ? 2 : 1}-29920000-00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
      service,
      transaction,
      kind: 'http',
      environment: 'production',
      revision: CANDIDATE,
      process: '5f'.repeat(16),
      host: 'shop-7d9f4-x2x9k',
      rateHz: 99,
      startMs: nowMs - 600_000 - at * 47_000,
      durationMicros: 418_000 - at * 61_300,
      outcome: 'ok',
      cpuMicros: 178_000,
      awaitedMicros: 219_000,
      sampleCount: parts.samples.stack.length,
      keptSampleCount: parts.samples.stack.length,
      waitCount: parts.waits.stack.length,
      spanCount: parts.spans.name.length,
      labels: labelSet({ items: '100-999', plan: 'enterprise' }),
      context: labelSet({
        cart: 'c-81723',
        customer: '4711',
        items: '214',
        plan: 'enterprise',
        region: 'eu-west-1',
        transaction,
      }),
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      ...change,
    };
    return service === 'hostile' ? hostile(made) : made;
  };
  const short = { samples: EMPTY.samples, spans: EMPTY.spans, spanCount: 0, traceId: '', spanId: '', context: [] };
  return [
    run(0, { outcome: 'error' }),
    run(1, {
      outcome: 'timeout',
      cpuMicros: 40_000,
      sampleCount: 90_000,
      waitCount: 2_100,
      context: labelSet({ plan: 'free', transaction }),
    }),
    run(2, { cpuMicros: 120_000, awaitedMicros: 60_000 }),
    run(3, { ...short, durationMicros: 8_400, cpuMicros: 0, awaitedMicros: 6_000, sampleCount: 0, keptSampleCount: 0 }),
  ];
}

export function summaryOf(run: ExemplarAnswer): ExemplarSummaryAnswer {
  const { id, startMs, durationMicros, outcome, environment, revision, process, cpuMicros, awaitedMicros } = run;
  const { sampleCount, keptSampleCount, waitCount, spanCount, context } = run;
  const figures = { id, startMs, durationMicros, outcome, environment, revision, process, cpuMicros, awaitedMicros };
  const counts = { sampleCount, keptSampleCount, waitCount, spanCount };
  return { ...figures, ...counts, context: context.slice(0, PREVIEWED), contextCount: context.length };
}
