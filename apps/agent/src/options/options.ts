import path from 'node:path';
import { labelSet, type LabelSet } from '@hearth/profile-model';
import type { AgentLogger } from '../safety/agent-log.js';
import { MAX_PERIOD_MS } from '../samplers/native-profiler.js';
import { MAX_RAISE_MS } from '../triggers/rate-raise.js';
import { MAX_LABEL_NAME_LENGTH, MAX_VALUE_LENGTH, cleanLabels, shortText, type Labels } from '../transactions/label-limits.js';
import { LabelRules, type LabelRuleSettings } from '../transactions/label-rules.js';
import type { AgentEnvironment } from './environment.js';

/** Options of `init`. Each wins over the environment variable named with it. */
export interface AgentOptions {
  /** Address of the Hearth server. Default `HEARTH_URL`, else `http://127.0.0.1:4040`. */
  readonly url?: string | undefined;
  /** An ingest key of the project. Default `HEARTH_KEY`. Without one the agent says so and does nothing. */
  readonly key?: string | undefined;
  /** Name that the profiles are filed under. Default `HEARTH_SERVICE`, else the name in the nearest package.json. */
  readonly service?: string | undefined;
  /** For example `production`. Default `HEARTH_ENVIRONMENT`, else `NODE_ENV`, else `development`. */
  readonly environment?: string | undefined;
  /** Git SHA, or whatever the service calls its release. Default `HEARTH_REVISION`, else discovered (docs/agent.md says how). */
  readonly revision?: string | undefined;
  /** Labels of the whole process, as region or pod; not of single transactions. Default `HEARTH_LABELS` (`k=v,k=v`). */
  readonly labels?: Labels | undefined;
  /** Samples per second. Default 99: no divisor of common timer periods, so it does not beat with them. From 1 to 500. */
  readonly rateHz?: number | undefined;
  /** Milliseconds that one batch covers. Default 10,000; from 1,000 to 60,000. Shorter is fresher, longer is cheaper. */
  readonly periodMs?: number | undefined;
  /** `in-use` (default) samples what the heap holds and who allocated it, `allocations` all that is allocated, dead or alive; one or the other. `off`: neither. */
  readonly heap?: 'in-use' | 'allocations' | 'off' | undefined;
  /** `transactions` (default) makes every incoming request a transaction, named after its route; `off` leaves it to `transaction()`. */
  readonly http?: 'transactions' | 'off' | undefined;
  /** `on` (default) does what the server may ask: record lines, or sample at a higher rate, for at most a minute, nothing else. `off` ignores it. Default `HEARTH_REMOTE`. */
  readonly remote?: 'on' | 'off' | undefined;
  /** `on` (default) records what transactions wait for: databases, other services, files, long timers. Default `HEARTH_WAITS`; `off` does not. */
  readonly waits?: 'on' | 'off' | undefined;
  /**
   * Names of the only labels, inputs and context that may be sent; what is not named is left out. Exact, or with `*` at the end. Default `HEARTH_ALLOW` (`a,b*`), else all.
   * The three rules hold for what `transaction`, `tag`, `span` and `wrap` are given, not for `labels` above.
   */
  readonly allow?: readonly string[] | undefined;
  /** Names of those whose values are sent as `(redacted)`. Default `HEARTH_REDACT`. */
  readonly redact?: readonly string[] | undefined;
  /** Names of those whose values are sent as 16 hexadecimal digits, the same for the same value, made with the key. Default `HEARTH_HASH`. */
  readonly hash?: readonly string[] | undefined;
  /**
   * `send` sends the source maps of scripts that were sampled, where the server has none of them: names, places and paths of sources, not their code. `send-with-sources`: with it, for names that are not in
   * the map. Default `HEARTH_SOURCE_MAPS`, else `off`.
   */
  readonly sourceMaps?: 'send' | 'send-with-sources' | 'off' | undefined;
  /** Bytes held while the server is away. Default 8 MiB. Oldest batches are dropped first, and counted; none is held for more than ten minutes. */
  readonly maxBufferedBytes?: number | undefined;
  /** A folder that keeps what cannot be sent, for at most six days and also when the process has ended. Default `HEARTH_SPOOL_DIR`, else none: then only memory does. */
  readonly spoolDir?: string | undefined;
  /** Bytes in that folder, of all processes with the same address and key. Default `HEARTH_SPOOL_MAX_BYTES`, else 256 MiB; from 1 MiB. Oldest batches are dropped first, and counted. */
  readonly maxSpooledBytes?: number | undefined;
  /** Percent of one core that the agent may take, as it measures it itself: beyond, it does less and says so. Default `HEARTH_BUDGET_CPU_PCT`, else 10; from 0.1 to 100. */
  readonly budgetCpuPct?: number | undefined;
  /** Milliseconds of CPU that one flush may take of the main thread; beyond, the same. Default `HEARTH_BUDGET_PAUSE_MS`, else 100; from 1 to 10,000. */
  readonly budgetPauseMs?: number | undefined;
  /** When to sample at a higher rate for a while. Default: only when the server asks. */
  readonly triggers?: TriggerOptions | undefined;
  /** Where the agent's few lines go. Default standard error. */
  readonly logger?: AgentLogger | undefined;
}

/**
 * What raises the sampling rate of the main thread for a while: each that is given, and the server where `remote` is `on`. After it there is none for nine times as
 * long, so that it is a tenth of the time at most; and none while the agent is over its budget.
 */
export interface TriggerOptions {
  /** A transaction that took as many milliseconds or more; from 1 to 3,600,000. Default `HEARTH_TRIGGER_SLOW_MS`, else off. */
  readonly slowTransactionMs?: number | undefined;
  /** CPU of the process in one period, percent of one core: as much or more; from 1 to 10,000. Default `HEARTH_TRIGGER_CPU_PCT`, else off. */
  readonly cpuPct?: number | undefined;
  /** Used heap at the end of a period, percent of its limit: as much or more; from 1 to 100. Default `HEARTH_TRIGGER_HEAP_PCT`, else off. */
  readonly heapPct?: number | undefined;
  /** `SIGUSR2`: each of these signals. It then does not end a process without a handler of its own; handlers of the host work as ever. Default `HEARTH_TRIGGER_SIGNAL`, else `off`. */
  readonly signal?: 'SIGUSR2' | 'off' | undefined;
  /** Samples per second meanwhile. Default 499; from 2 to 500, above the other `rateHz`. */
  readonly rateHz?: number | undefined;
  /** Milliseconds of one raise. Default 30,000; from 1,000 to 60,000. The server says its own. */
  readonly durationMs?: number | undefined;
}

/** Everything decided. */
export interface AgentSettings {
  readonly url: URL;
  readonly key: string;
  readonly service: string;
  readonly environment: string;
  readonly revisionOption: string;
  readonly revisionVariable: string;
  readonly labels: LabelSet;
  readonly rateHz: number;
  readonly periodMs: number;
  readonly heap: 'in-use' | 'allocations' | 'off';
  readonly http: 'transactions' | 'off';
  readonly remote: 'on' | 'off';
  readonly waits: 'on' | 'off';
  readonly sourceMaps: 'send' | 'send-with-sources' | 'off';
  /** `undefined`: all that the host gives may be sent. */
  readonly labelRules: LabelRules | undefined;
  readonly maxBufferedBytes: number;
  /** Absolute; `undefined` without a spool. */
  readonly spoolDir: string | undefined;
  readonly maxSpooledBytes: number;
  readonly budgetCpuPct: number;
  readonly budgetPauseMs: number;
  readonly triggers: TriggerSettings;
}

/** `Infinity`: off. */
export interface TriggerSettings {
  readonly slowTransactionMs: number;
  readonly cpuPct: number;
  readonly heapPct: number;
  readonly signal: 'SIGUSR2' | 'off';
  readonly rateHz: number;
  readonly durationMs: number;
}

/** What is wrong with the options, as one line. */
export interface OptionFault {
  readonly code: 'AGENT_NO_KEY' | 'AGENT_OPTION';
  readonly message: string;
}

const DEFAULT_URL = 'http://127.0.0.1:4040';
const BATCHES_PATH = '/api/v1/batches';
const MAX_RATE_HZ = 500;

export function resolveSettings(options: AgentOptions, environment: AgentEnvironment): AgentSettings | OptionFault {
  const key = options.key ?? environment.key;
  if (key === undefined || key === '') {
    return {
      code: 'AGENT_NO_KEY',
      message: 'HEARTH_KEY is not set: nothing is profiled. make one on the Install page of Hearth',
    };
  }
  const url = batchesUrl(options.url ?? environment.url ?? DEFAULT_URL);
  if (url === undefined)
    return fault(
      `"${String(options.url ?? environment.url).slice(0, 200)}" is no http(s) address of a Hearth server (HEARTH_URL)`,
    );
  if (!/^[\x21-\x7e]+$/.test(key)) return fault('the key has characters that no key has (HEARTH_KEY)');
  const numbers = {
    rateHz: inRange(options.rateHz ?? 99, 1, MAX_RATE_HZ),
    periodMs: inRange(options.periodMs ?? 10_000, 1_000, MAX_PERIOD_MS),
    maxBufferedBytes: inRange(options.maxBufferedBytes ?? 8 * 1024 * 1024, 0, 1024 ** 3),
    maxSpooledBytes: inRange(options.maxSpooledBytes ?? environment.maxSpooledBytes ?? 256 * 1024 ** 2, 1024 ** 2, 1024 ** 4),
    budgetPauseMs: inRange(options.budgetPauseMs ?? environment.budgetPauseMs ?? 100, 1, 10_000),
  };
  const budgetCpuPct = options.budgetCpuPct ?? environment.budgetCpuPct ?? 10;
  if (typeof budgetCpuPct !== 'number' || !(budgetCpuPct >= 0.1 && budgetCpuPct <= 100))
    return fault('budgetCpuPct is out of its range');
  for (const [name, value] of Object.entries(numbers)) {
    if (value === undefined) return fault(`${name} is out of its range`);
  }
  const sourceMaps = options.sourceMaps ?? environment.sourceMaps;
  if (!isSourceMaps(sourceMaps)) return fault('sourceMaps is "send", "send-with-sources" or "off"');
  const triggers = triggersOf(options.triggers ?? {}, environment);
  if (typeof triggers === 'string') return fault(`triggers.${triggers} is out of its range`);
  const rules = {
    allow: options.allow ?? environment.allow,
    redact: options.redact ?? environment.redact ?? [],
    hash: options.hash ?? environment.hash ?? [],
  };
  for (const [name, names] of Object.entries(rules)) {
    // Half of a rule would send what must not be sent.
    if (names !== undefined && !areLabelNames(names)) return fault(`${name} is no list of names of labels`);
  }
  return {
    url,
    key,
    labelRules: labelRulesOf(rules, key),
    service: text(options.service ?? environment.service),
    environment: text(options.environment ?? environment.environment) || 'development',
    revisionOption: text(options.revision),
    revisionVariable: text(environment.revision),
    labels: labelSet(cleanLabels(options.labels ?? environment.labels)),
    heap: options.heap === 'off' || options.heap === 'allocations' ? options.heap : 'in-use',
    http: options.http === 'off' ? 'off' : 'transactions',
    spoolDir: spoolDirOf(options.spoolDir ?? environment.spoolDir),
    remote: (options.remote ?? (environment.isRemote ? 'on' : 'off')) === 'on' ? 'on' : 'off',
    waits: (options.waits ?? environment.waits) === 'off' ? 'off' : 'on',
    sourceMaps,
    budgetCpuPct,
    triggers,
    ...(numbers as Record<keyof typeof numbers, number>),
  };
}

export function isOptionFault(settings: AgentSettings | OptionFault): settings is OptionFault {
  return 'code' in settings;
}

function batchesUrl(base: string): URL | undefined {
  if (!URL.canParse(base)) return undefined;
  const url = new URL(base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${BATCHES_PATH}`;
  return url;
}

function isSourceMaps(value: unknown): value is AgentSettings['sourceMaps'] {
  return value === 'send' || value === 'send-with-sources' || value === 'off';
}

/** Names of one rule. */
const MAX_RULE_NAMES = 100;

function areLabelNames(names: unknown): boolean {
  return (
    Array.isArray(names) &&
    names.length <= MAX_RULE_NAMES &&
    names.every((name) => typeof name === 'string' && name !== '' && name.length <= MAX_LABEL_NAME_LENGTH)
  );
}

function labelRulesOf(rules: LabelRuleSettings, key: string): LabelRules | undefined {
  if (rules.allow === undefined && rules.redact.length === 0 && rules.hash.length === 0) return undefined;
  return new LabelRules(rules, key);
}

/** @returns The name of one that cannot be used. */
function triggersOf(options: TriggerOptions, environment: AgentEnvironment): TriggerSettings | string {
  const numbers = {
    slowTransactionMs: inRangeOrOff(options.slowTransactionMs ?? environment.triggerSlowMs, 1, 3_600_000),
    cpuPct: inRangeOrOff(options.cpuPct ?? environment.triggerCpuPct, 1, 10_000),
    heapPct: inRangeOrOff(options.heapPct ?? environment.triggerHeapPct, 1, 100),
    rateHz: inRange(options.rateHz ?? 499, 2, MAX_RATE_HZ),
    durationMs: inRange(options.durationMs ?? 30_000, 1_000, MAX_RAISE_MS),
  };
  for (const [name, value] of Object.entries(numbers)) if (value === undefined) return name;
  const signal = options.signal ?? environment.triggerSignal;
  if (signal !== 'SIGUSR2' && signal !== 'off') return 'signal';
  return { signal, ...(numbers as Record<keyof typeof numbers, number>) };
}

function spoolDirOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' && !value.includes('\0') ? path.resolve(value) : undefined;
}

function inRange(value: unknown, least: number, most: number): number | undefined {
  return typeof value === 'number' && value >= least && value <= most ? Math.round(value) : undefined;
}

function inRangeOrOff(value: unknown, least: number, most: number): number | undefined {
  return value === undefined ? Infinity : inRange(value, least, most);
}

const text = (value: unknown): string => (typeof value === 'string' ? shortText(value.trim(), MAX_VALUE_LENGTH) : '');
const fault = (message: string): OptionFault => ({ code: 'AGENT_OPTION', message });
