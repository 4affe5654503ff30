import path from 'node:path';
import { availableParallelism } from 'node:os';
import { messageOf } from './children.mjs';

/** How the visitors of each release divide, in requests of a hundred. The second sees more product pages and fewer searches. */
const MIX = [
  { list: 15, search: 20, product: 25, cart: 24, add: 9, checkout: 7 },
  { list: 11, search: 14, product: 32, cart: 27, add: 8, checkout: 8 },
];
/** So many start at once: starting is dear, and a start that waits for its turn takes no longer in all. */
const STARTED_AT_ONCE = 4;
/** Of all CPU there is, what the shops together may use: the rest is for Hearth, its agents, the visitors, and whoever looks at the demo. */
const CPU_SHARE = 0.35;
const MAX_SHOP_CORES = 2;
/** Requests a second to each process. */
const PER_SECOND_AT_FIRST = 4;
const FASTEST_PER_SECOND = 20;

/** Both releases of the shop with their visitors: as many processes a side, all with the same load. */
export class ShopFleet {
  #children;
  #processes = []; // [side][index]
  #load;
  #perSecond = PER_SECOND_AT_FIRST;

  constructor(children) {
    this.#children = children;
  }

  /**
   * Starts every process of both releases, a few at a time, then their visitors.
   *
   * @param {{ folder: string }[]} releases - Baseline, candidate.
   */
  async start(releases, processesPerSide, env, onProgress) {
    this.#processes = releases.map(() => []);
    // Side by side, so that neither is older than the other.
    const starts = Array.from({ length: processesPerSide }, (_, index) =>
      releases.map(({ folder }, side) => ({ folder, side, index })),
    ).flat();
    while (starts.length > 0) {
      await Promise.all(
        starts.splice(0, STARTED_AT_ONCE).map(async ({ folder, side, index }) => {
          const name = `shop-${path.basename(folder)}-${index + 1}`;
          const child = this.#children.start({
            name,
            module: path.join(folder, 'src/server.js'),
            cwd: folder,
            env: { ...env, PORT: '0' },
            imports: ['@hearth/agent/preload'],
          });
          const { url } = await messageOf(child, 'url');
          this.#processes[side].push({ child, url });
        }),
      );
      onProgress(this.#processes.flat().length, 2 * processesPerSide);
    }
    this.#load = this.#children.start({
      name: 'load',
      module: path.join(import.meta.dirname, 'load.mjs'),
      cwd: import.meta.dirname,
    });
    this.#load.on('message', ({ load }) => {
      this.requests = load;
    });
    const targets = this.#processes.flatMap((processes, side) => processes.map(({ url }) => ({ url, mix: MIX[side] })));
    this.#load.send({ targets, perSecond: this.#perSecondInAll });
  }

  /** What the visitors did so far. */
  requests = { sent: 0, answered: 0, failed: 0 };

  /** Chooses the rate of requests by what they have cost since `before`, the same for every process. @returns {Promise<number>} Requests a second, all together. */
  async adjustRate(before) {
    const after = await this.served();
    const cores = (after.cpuMicros - before.cpuMicros) / 1000 / (after.atMs - before.atMs);
    const aim = Math.min(CPU_SHARE * availableParallelism(), MAX_SHOP_CORES);
    this.#perSecond = Math.min(FASTEST_PER_SECOND, Math.max(1, (this.#perSecond * aim) / cores));
    this.#load.send({ perSecond: this.#perSecondInAll });
    return this.#perSecondInAll;
  }

  /** Fewer visitors, for a demo that is only looked at. */
  slowDown(factor) {
    this.#load.send({ perSecond: this.#perSecondInAll / factor });
  }

  get #perSecondInAll() {
    return this.#perSecond * this.#processes.flat().length;
  }

  /** What was served so far, by side, as the shops count it themselves. */
  async served() {
    const sides = await Promise.all(
      this.#processes.map(async (processes) => {
        const answers = await Promise.all(
          processes.map(({ child }) => messageOf(child, 'served', { request: { ask: 'served' } })),
        );
        return sumOf(answers.map(({ served, cpuMicros }) => ({ ...served, cpuMicros })));
      }),
    );
    return { atMs: Date.now(), sides, cpuMicros: sides.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0) };
  }

  async stop() {
    if (this.#load !== undefined) await this.#children.stop([this.#load]);
    await this.#children.stop(this.#processes.flat().map(({ child }) => child));
  }
}

/** What was served from one look to a later one, by side. */
export function servedBetween(before, after) {
  return after.sides.map((side, index) =>
    Object.fromEntries(Object.entries(side).map(([name, value]) => [name, value - before.sides[index][name]])),
  );
}

function sumOf(rows) {
  return Object.fromEntries(Object.keys(rows[0]).map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]));
}
