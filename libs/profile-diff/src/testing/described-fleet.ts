import { NO_PARENT } from '@hearth/profile-model';
import type { FunctionKey } from '@hearth/profile-model';
import type { ComparedProcess, ComparisonInput, ComparisonSide } from '../comparison-input.js';
import { seededRandom } from './random.js';
import type { Random } from './random.js';
import { SideColumns } from './side-columns.js';

/** One side of a comparison, told by what a process does in a minute. */
export interface SideDescription {
  readonly processes: number;
  readonly windows: number;
  /** Transactions of a process in one window, by name. */
  readonly traffic: Readonly<Record<string, number>>;
  /** Errors among them, as a share. Default none. */
  readonly errors?: Readonly<Record<string, number>>;
  /**
   * Samples by stack, e.g. `main > handle > parse@json:index.js`: `GET /a` is per transaction of that name, `second` per
   * process-second, in no transaction.
   */
  readonly cost: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Changes of single processes. */
  readonly process?: (row: number) => Partial<ComparedProcess> & { readonly load?: number; readonly slowdown?: number };
  /** Windows in which a stack occurs at all. Default: all. */
  readonly windowsOf?: Readonly<Record<string, readonly number[]>>;
}

export interface FleetDescription {
  readonly seed?: number;
  /** How processes differ in each function's cost; 0: counts are exact. Default .02. */
  readonly cv?: number;
  readonly unit?: string;
  readonly kind?: 'flow' | 'level';
  readonly sampleValue?: number;
  readonly baseline: SideDescription;
  readonly candidate: SideDescription;
}

const WINDOW_MS = 60_000;

/** The comparison of two described sides; with `cv` 0 every figure in it can be told by hand. */
export function describedFleet(fleet: FleetDescription): ComparisonInput {
  const stacks = new StackRows();
  const names = new Set<string>();
  for (const { traffic, cost } of [fleet.baseline, fleet.candidate]) {
    for (const name of Object.keys(traffic)) names.add(name);
    for (const byWork of Object.values(cost)) for (const name of Object.keys(byWork)) if (name !== 'second') names.add(name);
  }
  const transactions = [...names];
  const random = seededRandom(fleet.seed ?? 1);
  const sides = (['baseline', 'candidate'] as const).map((name) => describedSide(fleet, name, stacks, transactions, random)) as [
    ComparisonSide,
    ComparisonSide,
  ];
  return {
    unit: fleet.unit ?? 'microseconds',
    kind: fleet.kind ?? 'flow',
    ...stacks.tables(),
    transactions,
    baseline: sides[0],
    candidate: sides[1],
  };
}

function describedSide(
  fleet: FleetDescription,
  name: 'baseline' | 'candidate',
  stacks: StackRows,
  transactions: readonly string[],
  random: Random,
): ComparisonSide {
  const side = fleet[name];
  const cv = fleet.cv ?? 0.02;
  const columns = new SideColumns();
  const processes: ComparedProcess[] = [];
  for (let process = 0; process < side.processes; process += 1) {
    const { load = 1, slowdown = 1, ...changed } = side.process?.(process) ?? {};
    processes.push({
      id: `${name}-${process}`,
      startedAtMs: 0,
      seconds: side.windows * 60,
      nodeVersion: 'v20.20.0',
      agentVersion: '0.1.0',
      rateHz: 99,
      droppedBatches: 0,
      ...changed,
    });
    const effects = Object.entries(side.cost).map(() => slowdown * Math.exp(cv * random.normal()));
    for (let window = 0; window < side.windows; window += 1) {
      const done = new Map(Object.entries(side.traffic).map(([of, count]) => [of, Math.round(load * count)]));
      for (const [of, count] of done) {
        columns.addCount({
          process,
          windowStartMs: window * WINDOW_MS,
          transaction: transactions.indexOf(of),
          count,
          errors: Math.round(count * (side.errors?.[of] ?? 0)),
          durationSumMicros: count * 5000,
        });
      }
      Object.entries(side.cost).forEach(([stack, byWork], row) => {
        if (side.windowsOf?.[stack]?.includes(window) === false) return;
        for (const [of, perUnit] of Object.entries(byWork)) {
          const units = of === 'second' ? 60 : (done.get(of) ?? 1);
          const mean = units * perUnit * effects[row]!;
          const count = cv === 0 ? mean : random.poisson(mean);
          if (count === 0) continue;
          columns.addSample({
            process,
            windowStartMs: window * WINDOW_MS,
            transaction: of === 'second' ? -1 : transactions.indexOf(of),
            stack: stacks.rowOf(stack),
            value: count * (fleet.sampleValue ?? 10_000),
            count,
          });
        }
      });
    }
  }
  return {
    fromMs: 0,
    untilMs: side.windows * WINDOW_MS,
    processes,
    ...columns.columns(),
  };
}

/** Stack and function tables, filled as stacks are named. */
class StackRows {
  readonly #functions: FunctionKey[] = [];
  readonly #functionRows = new Map<string, number>();
  readonly #parent: number[] = [];
  readonly #functionRow: number[] = [];
  readonly #rows = new Map<string, number>();

  /** @param text - `caller > callee`; '' is a sample without frames. */
  rowOf(text: string): number {
    let stack = NO_PARENT;
    for (const frame of text
      .split('>')
      .map((part) => part.trim())
      .filter((part) => part !== '')) {
      const key = `${stack} ${frame}`;
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = this.#parent.push(stack) - 1;
        this.#functionRow.push(this.#rowOfFunction(frame));
        this.#rows.set(key, row);
      }
      stack = row;
    }
    return stack;
  }

  #rowOfFunction(frame: string): number {
    let row = this.#functionRows.get(frame);
    if (row === undefined) {
      row = this.#functions.push(functionOf(frame)) - 1;
      this.#functionRows.set(frame, row);
    }
    return row;
  }

  tables(): Pick<ComparisonInput, 'functions' | 'stacks'> {
    const functions = this.#functions;
    return {
      functions: {
        length: functions.length,
        name: functions.map(({ name }) => name),
        package: functions.map((one) => one.package),
        file: functions.map(({ file }) => file),
      },
      stacks: {
        length: this.#parent.length,
        parent: Int32Array.from(this.#parent),
        functionRow: Uint32Array.from(this.#functionRow),
      },
    };
  }
}

/** `name`, `name@file` or `name@package:file`; names in parentheses are the runtime's own. */
function functionOf(frame: string): FunctionKey {
  const [name, place] = frame.split('@') as [string, string | undefined];
  if (name.startsWith('(') && name !== '(anonymous)') return { name, package: 'native', file: '' };
  const [packageName, file] =
    place?.includes(':') === true ? (place.split(':') as [string, string]) : ['', place ?? `src/${name}.ts`];
  return { name, package: packageName, file };
}
