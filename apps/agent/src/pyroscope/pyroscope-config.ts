import type { PyroscopeEnvironment } from '../options/environment.js';
import type { AgentOptions } from '../options/options.js';
import { MAX_PERIOD_MS } from '../samplers/native-profiler.js';
import type { SourceMapper } from './source-mapper.js';

/** Names and values of tags and labels, as `@pyroscope/nodejs` takes them. */
export type LabelSet = Record<string, string | number>;

/** What `@pyroscope/nodejs` takes; docs/install/pyroscope.md says what each does here. */
export interface PyroscopeConfig {
  /** The service. Default `PYROSCOPE_APPLICATION_NAME`, then as the agent finds it. */
  appName?: string | undefined;
  /** An ingest key. Default `PYROSCOPE_AUTH_TOKEN`, then `basicAuthPassword`, then `HEARTH_KEY`. */
  authToken?: string | undefined;
  /** Milliseconds in one batch: the nearest from 1,000 to 60,000. Default `PYROSCOPE_FLUSH_INTERVAL_MS`, then 10,000. */
  flushIntervalMs?: number | undefined;
  heap?: PyroscopeHeapConfig | undefined;
  /** Of Hearth. `PYROSCOPE_ADHOC_SERVER_ADDRESS` wins; default `PYROSCOPE_SERVER_ADDRESS`, then `HEARTH_URL`. */
  serverAddress?: string | undefined;
  /** Labels of the process. Those that name a revision or an environment say which release it is and where it runs. */
  tags?: LabelSet | undefined;
  wall?: PyroscopeWallConfig | undefined;
  /** Does nothing. */
  sourceMapper?: SourceMapper | undefined;
  /** Does nothing: the key says whose it is. */
  basicAuthUser?: string | undefined;
  basicAuthPassword?: string | undefined;
  /** Does nothing: the key belongs to a project. */
  tenantID?: string | undefined;
  /** Does nothing. */
  stripFilenames?: 'all' | 'dependencies' | undefined;
  /** Does nothing: paths are always those inside the package. */
  shortenPaths?: boolean | undefined;
}

export interface PyroscopeWallConfig {
  /** Does nothing. */
  samplingDurationMs?: number | undefined;
  /** Microseconds between two samples: the nearest from 2,000 to 1,000,000. Default `PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS`, then 99 samples a second. */
  samplingIntervalMicros?: number | undefined;
  /** Does nothing: CPU is always sampled. */
  collectCpuTime?: boolean | undefined;
}

export interface PyroscopeHeapConfig {
  /** Does nothing: 512 KiB. */
  samplingIntervalBytes?: number | undefined;
  /** Does nothing: 64. */
  stackDepth?: number | undefined;
}

/** The tags that say what the agent has an option for, the first that is there; as the server takes them from the original client. */
const SERVICE_TAGS = ['service_name'];
const REVISION_TAGS = ['service_git_ref', 'git_ref', 'git_sha', 'git_commit', 'commit', 'revision'];
const ENVIRONMENT_TAGS = [
  'environment',
  'env',
  'deployment_environment',
  'deployment.environment',
  'deployment.environment.name',
];

/** The agent's options for a configuration of `@pyroscope/nodejs`. What is of another type than it should be is left out. */
export function agentOptions(config: PyroscopeConfig, environment: PyroscopeEnvironment): AgentOptions {
  const tags = typeof config.tags === 'object' && config.tags !== null ? config.tags : {};
  const tag = (names: readonly string[]): string | undefined => names.map((name) => text(tags[name])).find(Boolean);
  const address = environment.adhocServerAddress ?? text(config.serverAddress) ?? environment.serverAddress;
  const intervalMicros = number(config.wall?.samplingIntervalMicros) ?? environment.wallSamplingIntervalMicros;
  const periodMs = number(config.flushIntervalMs) ?? environment.flushIntervalMs;
  return {
    url: address?.replace(/\/pyroscope\/*$/, ''), // where the server takes profiles of the original client, too
    key: text(config.authToken) ?? environment.authToken ?? text(config.basicAuthPassword),
    service: tag(SERVICE_TAGS) ?? text(config.appName) ?? environment.appName,
    revision: tag(REVISION_TAGS),
    environment: tag(ENVIRONMENT_TAGS),
    labels: config.tags === undefined ? undefined : tags,
    rateHz: intervalMicros === undefined ? undefined : between(1_000_000 / intervalMicros, 1, 500),
    periodMs: periodMs === undefined ? undefined : between(periodMs, 1_000, MAX_PERIOD_MS),
  };
}

function text(value: unknown): string | undefined {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function between(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
