import type { OfferedCommand } from './commands.js';
import type { ComparisonResult } from '@hearth/profile-diff';
import type { ExemplarSummaryAnswer } from './exemplars.js';
import type { ResolvedSelection } from './selection.js';
import type { MinifiedFileAnswer } from './source-maps.js';

/** RFC 9457 problem details; `code` is stable and has a section in docs/errors.md. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** What, where and what to do. */
  readonly detail: string;
}

/**
 * Merged call tree in preorder columns of one length: a node, then its whole subtree. Row 0 is the root `total`; what `maxNodes` cuts
 * is the last child of its parent, named `(truncated)`.
 *
 * Here and in the other answers values above 2^53 travel as strings of digits. No profile type of our agent reaches them, so they are typed as numbers.
 */
export interface FlameGraphAnswer {
  readonly selection: ResolvedSelection;
  readonly unit: string;
  readonly kind: 'flow' | 'level';
  readonly depth: readonly number[];
  /** Row in `names`, `packages`, `files`. */
  readonly name: readonly number[];
  readonly self: readonly number[];
  readonly total: readonly number[];
  readonly names: readonly string[];
  readonly packages: readonly string[];
  readonly files: readonly string[];
  /** Sum of all values. */
  readonly sum: number;
  readonly samples: number;
  readonly truncated: { readonly nodes: number; readonly value: number };
  readonly minified: readonly MinifiedFileAnswer[];
}

export interface TimelineAnswer {
  readonly selection: ResolvedSelection;
  readonly unit: string;
  readonly stepMs: number;
  /** Start of each step. */
  readonly startsMs: readonly number[];
  /** One value per step in each series; `key` is '' without groupBy. */
  readonly series: readonly { readonly key: string; readonly values: readonly number[] }[];
  readonly deploys: readonly DeployAnswer[];
}

export interface FunctionsAnswer {
  readonly selection: ResolvedSelection;
  readonly unit: string;
  readonly sum: number;
  readonly samples: number;
  readonly functions: readonly {
    readonly name: string;
    readonly package: string;
    readonly file: string;
    readonly self: number;
    readonly total: number;
  }[];
  /** Functions there are in all. */
  readonly count: number;
  readonly minified: readonly MinifiedFileAnswer[];
}

/** Of one file at one revision, while lines were recorded: other time is not in it. */
export interface LinesAnswer {
  readonly selection: Omit<ResolvedSelection, 'maxNodes'>;
  readonly unit: string;
  readonly package: string;
  readonly file: string;
  /** Those in which something ran itself or was called, at most 200, the largest `self` first. */
  readonly files: readonly { readonly package: string; readonly file: string; readonly self: number }[];
  /** Profiles with lines that it is made of. */
  readonly recordings: number;
  /** Value of all files while they were recorded, what had no frames left out. */
  readonly sum: number;
  /** By line; 0 stands for samples whose line is unknown. */
  readonly lines: readonly {
    readonly line: number;
    /** Ran on the line itself. */
    readonly self: number;
    /** Ran on the line or in what it called. */
    readonly total: number;
    /** Raw samples behind `total`. */
    readonly samples: number;
  }[];
}

export interface TransactionAnswer {
  readonly name: string;
  readonly kind: 'http' | 'custom';
  readonly count: number;
  readonly errors: number;
  readonly perMinute: number;
  readonly durationMicros: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly mean: number;
    readonly sum: number;
  };
  /** CPU of its samples in the range. */
  readonly cpuMicros: number;
  readonly cpuPerTransactionMicros: number;
  /** What it waited for: waits beside each other count twice. `null`: the service has never recorded waits. */
  readonly waitMicros: number | null;
  /** Of its finished runs, the time in which at least one wait was under way. `null` as above. */
  readonly awaitedMicros: number | null;
  /** What neither CPU nor `awaitedMicros` explains of `durationMicros.sum`, not below 0: waiting for the event loop, and for what is not recorded. `null` as above. */
  readonly unexplainedMicros: number | null;
}
export interface TransactionsAnswer {
  readonly selection: Omit<ResolvedSelection, 'type' | 'maxNodes'>;
  readonly transactions: readonly TransactionAnswer[];
  /** CPU in no transaction. */
  readonly backgroundCpuMicros: number;
}
/** One transaction, and what each value of its labels cost. */
export interface TransactionDetailAnswer {
  readonly selection: Omit<ResolvedSelection, 'type' | 'maxNodes'>;
  readonly transaction: TransactionAnswer;
  readonly byLabel: readonly {
    readonly label: string;
    readonly values: readonly (Omit<TransactionAnswer, 'name' | 'kind'> & { readonly value: string })[];
  }[];
  /** The slowest of its runs that are kept whole, the slowest first, at most 20. */
  readonly exemplars: readonly ExemplarSummaryAnswer[];
}

export interface ServiceAnswer {
  readonly name: string;
  readonly environments: readonly string[];
  /** Short names where there is one, otherwise ids. */
  readonly profileTypes: readonly string[];
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly latestRevision: string | null;
  /** Processes heard of in the last minute. */
  readonly processesNow: number;
  /** Over the last 15 minutes: CPU cores used, resident memory summed over processes, transactions per minute, p95. `null`: not known. */
  readonly cpuCores: number | null;
  readonly rssBytes: number | null;
  readonly transactionsPerMinute: number | null;
  readonly durationP95Micros: number | null;
  /** CPU cores used in each of the last 30 minutes, oldest first. */
  readonly cpuCoresByMinute: readonly number[];
}
export interface RevisionAnswer {
  readonly revision: string;
  readonly version: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly processes: number;
  /** Since when it is kept for ever; `null`: it goes with its retention. */
  readonly pinnedMs: number | null;
}
/** A revision that is kept for ever. */
export interface PinAnswer {
  readonly service: string;
  readonly revision: string;
  readonly pinnedMs: number;
}
export interface ProcessAnswer {
  readonly id: string;
  readonly startedAtMs: number;
  readonly lastSeenMs: number;
  readonly environment: string;
  readonly revision: string;
  readonly host: string;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly agentVersion: string;
  readonly rateHz: number;
  readonly droppedBatches: number;
}
export interface LabelsAnswer {
  readonly labels: readonly { readonly name: string; readonly values: number }[];
}
export interface LabelValuesAnswer {
  readonly name: string;
  readonly values: readonly string[];
}
export interface DeployAnswer {
  readonly service: string;
  readonly environment: string;
  readonly revision: string;
  readonly atMs: number;
  readonly version: string;
  readonly branch: string;
  /** `announced` by POST /deploys, or `seen` when its first batch came. */
  readonly source: 'announced' | 'seen';
}

export type ComparisonStatus = 'pending' | 'running' | 'done' | 'failed';
export interface ComparisonAnswer {
  readonly id: string;
  readonly status: ComparisonStatus;
  readonly createdMs: number;
  readonly baseline: ResolvedSelection;
  readonly candidate: ResolvedSelection;
  /** Only when `done`. */
  readonly result: ComparisonResult | null;
  /** Only when `failed`. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface BatchesAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly code: string; readonly count: number }[];
  /** What the server asks of the processes whose batches these are. */
  readonly commands: readonly OfferedCommand[];
}

export interface SessionAnswer {
  readonly user: { readonly email: string; readonly role: 'admin' | 'member' };
  readonly projects: readonly { readonly id: string; readonly name: string }[];
}
export interface ApiKeyAnswer {
  readonly id: string;
  readonly name: string;
  readonly kind: 'ingest' | 'read' | 'admin';
  /** First characters, to recognise it by. */
  readonly prefix: string;
  readonly createdMs: number;
  readonly lastUsedMs: number | null;
  /** Only in the answer to its creation. */
  readonly key?: string;
}
/** What a project may send, and what went beyond. */
export interface LimitsAnswer {
  readonly quota: {
    /** In a minute, for each api process; `null`: any number. So is `bytesPerMinute`, of bodies as they come. */
    readonly profilesPerMinute: number | null;
    readonly bytesPerMinute: number | null;
    readonly services: number;
    readonly environmentsPerService: number;
    /** Heard of within a day, as are processes: a release is a revision in an environment. */
    readonly releasesPerService: number;
    readonly processesPerService: number;
    readonly labelSetsPerService: number;
    readonly transactionNamesPerService: number;
  };
  /** By service, then code. */
  readonly hits: readonly {
    /** '' where the service is not known, or is what was refused. */
    readonly service: string;
    /** Of the error, for what was refused; else what was folded or dropped. */
    readonly code: string;
    /** `folded`: kept under the name `__other__`. `dropped`: not kept, the rest of its batch was. `refused`: the sender was told. */
    readonly outcome: 'folded' | 'dropped' | 'refused';
    readonly count: number;
    /** The first and the last time. */
    readonly firstMs: number;
    readonly lastMs: number;
  }[];
}
export interface HealthAnswer {
  readonly status: 'ok' | 'error';
}
