import type { CostPart } from './own-cost.js';

/** What the agent does less of than it was asked to. */
export interface Levers {
  /** Part of each period in which stacks are sampled; 0: not at all. */
  readonly sampled: 1 | 0.5 | 0.25 | 0.125 | 0;
  /** Part of the stacks of waits that are captured; sums stay exact. */
  readonly captures: 1 | 0.25 | 0;
  readonly waits: 'on' | 'off';
  readonly heap: 'on' | 'off';
  /** `dropped`: transactions keep their names, and nothing else; steps only run. */
  readonly labels: 'kept' | 'dropped';
}

/** One step down: what it changes, how it is said, and whether what it saves can be told from what is left. */
interface Step {
  readonly change: Partial<Levers>;
  readonly words: string;
  /** By how much the part would cost more without it; `undefined`: nothing of it is left to tell. */
  readonly grows: number | undefined;
}

/** The steps of each part, the mildest first. */
export const LADDERS: Readonly<Record<CostPart, readonly Step[]>> = {
  stacks: [
    { change: { sampled: 0.5 }, words: 'stacks are sampled half of the time', grows: 2 },
    { change: { sampled: 0.25 }, words: 'stacks are sampled a quarter of the time', grows: 2 },
    { change: { sampled: 0.125 }, words: 'stacks are sampled an eighth of the time', grows: 2 },
    { change: { sampled: 0 }, words: 'no stacks are sampled', grows: undefined },
  ],
  heap: [{ change: { heap: 'off' }, words: 'the heap is not sampled', grows: undefined }],
  waits: [
    { change: { captures: 0.25 }, words: 'a quarter of the callers of waits is captured', grows: 4 },
    { change: { captures: 0 }, words: 'no callers of waits are captured', grows: undefined },
    { change: { waits: 'off' }, words: 'no waits are recorded', grows: undefined },
  ],
  transactions: [
    { change: { labels: 'dropped' }, words: 'transactions have no labels but their names, and no steps', grows: undefined },
  ],
};

const NOTHING_LESS: Levers = { sampled: 1, captures: 1, waits: 'on', heap: 'on', labels: 'kept' };

/** @param taken - How many steps of each ladder are in force. */
export function leversAt(taken: Readonly<Record<CostPart, number>>): Levers {
  const changes = Object.entries(LADDERS).flatMap(([part, steps]) =>
    steps.slice(0, taken[part as CostPart]).map(({ change }) => change),
  );
  return Object.assign({}, NOTHING_LESS, ...changes) as Levers;
}
