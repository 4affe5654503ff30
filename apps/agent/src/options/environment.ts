/** What the environment says. The only file that reads `process.env`. */
export interface AgentEnvironment {
  readonly isEnabled: boolean;
  readonly isRemote: boolean;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly service: string | undefined;
  readonly environment: string | undefined;
  /** `HEARTH_REVISION`, else what a platform or CI says. */
  readonly revision: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly waits: 'on' | 'off';
  /** `send`, `send-with-sources`, `off`, or what nobody knows. */
  readonly sourceMaps: string;
  /** Names of labels; `undefined` where the variable is not set. */
  readonly allow: readonly string[] | undefined;
  readonly redact: readonly string[] | undefined;
  readonly hash: readonly string[] | undefined;
  readonly spoolDir: string | undefined;
  /** `NaN` where it is no number. */
  readonly maxSpooledBytes: number | undefined;
  /** `NaN` where it is no number; so is the next. */
  readonly budgetCpuPct: number | undefined;
  readonly budgetPauseMs: number | undefined;
  /** `NaN` where it is no number; so are the next two. */
  readonly triggerSlowMs: number | undefined;
  readonly triggerCpuPct: number | undefined;
  readonly triggerHeapPct: number | undefined;
  /** As it is written; `off` where it is not set. */
  readonly triggerSignal: string;
}

/** In the order of trust: first what was set for Hearth, then what says "this is the commit that runs", then CI. */
const REVISION_VARIABLES = [
  'HEARTH_REVISION',
  'GIT_COMMIT_SHA',
  'GIT_COMMIT',
  'GIT_SHA',
  'COMMIT_SHA',
  'SOURCE_COMMIT',
  'HEROKU_BUILD_COMMIT',
  'HEROKU_SLUG_COMMIT',
  'SOURCE_VERSION', // Heroku
  'RENDER_GIT_COMMIT',
  'RAILWAY_GIT_COMMIT_SHA',
  'VERCEL_GIT_COMMIT_SHA',
  'KOYEB_GIT_SHA',
  'CF_PAGES_COMMIT_SHA',
  'COMMIT_REF', // Netlify is the last
  'GITHUB_SHA',
  'CI_COMMIT_SHA',
  'CIRCLE_SHA1',
  'BUILDKITE_COMMIT',
  'BITBUCKET_COMMIT',
  'TRAVIS_COMMIT',
  'DRONE_COMMIT_SHA',
  'BUILD_SOURCEVERSION',
  'CODEBUILD_RESOLVED_SOURCE_VERSION', // Azure, AWS
] as const;

/** Node was asked for it when it started, whatever the host has made of the variable since. */
const wasCoverageAsked = asksForCoverage();

/** Whether Node itself counts what runs, for a report at the end of the process. */
export function isCoverageTaken(): boolean {
  return wasCoverageAsked || asksForCoverage();
}

function asksForCoverage(): boolean {
  return (process.env['NODE_V8_COVERAGE'] ?? '') !== '';
}

const OFF = new Set(['off', 'false', '0', 'no', 'disabled']);

export function readEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): AgentEnvironment {
  const text = (name: string): string | undefined => variables[name]?.trim() || undefined;
  const isOff = (name: string): boolean => OFF.has(text(name)?.toLowerCase() ?? '');
  const number = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  return {
    isEnabled: !isOff('HEARTH_ENABLED'),
    isRemote: !isOff('HEARTH_REMOTE'),
    url: text('HEARTH_URL'),
    key: text('HEARTH_KEY'),
    service: text('HEARTH_SERVICE'),
    environment: text('HEARTH_ENVIRONMENT') ?? text('NODE_ENV'),
    revision: REVISION_VARIABLES.map(text).find((value) => value !== undefined),
    labels: parseLabels(text('HEARTH_LABELS') ?? ''),
    waits: isOff('HEARTH_WAITS') ? 'off' : 'on',
    sourceMaps: isOff('HEARTH_SOURCE_MAPS') ? 'off' : (text('HEARTH_SOURCE_MAPS') ?? 'off'),
    allow: parseNames(text('HEARTH_ALLOW')),
    redact: parseNames(text('HEARTH_REDACT')),
    hash: parseNames(text('HEARTH_HASH')),
    spoolDir: text('HEARTH_SPOOL_DIR'),
    maxSpooledBytes: number('HEARTH_SPOOL_MAX_BYTES'),
    budgetCpuPct: number('HEARTH_BUDGET_CPU_PCT'),
    budgetPauseMs: number('HEARTH_BUDGET_PAUSE_MS'),
    triggerSlowMs: number('HEARTH_TRIGGER_SLOW_MS'),
    triggerCpuPct: number('HEARTH_TRIGGER_CPU_PCT'),
    triggerHeapPct: number('HEARTH_TRIGGER_HEAP_PCT'),
    triggerSignal: isOff('HEARTH_TRIGGER_SIGNAL') ? 'off' : (text('HEARTH_TRIGGER_SIGNAL') ?? 'off'),
  };
}

/** What the variables of `@pyroscope/nodejs` say, as far as the agent has an option for it. */
export interface PyroscopeEnvironment {
  readonly adhocServerAddress: string | undefined;
  readonly serverAddress: string | undefined;
  readonly appName: string | undefined;
  readonly authToken: string | undefined;
  readonly flushIntervalMs: number | undefined;
  readonly wallSamplingIntervalMicros: number | undefined;
}

export function readPyroscopeEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): PyroscopeEnvironment {
  const text = (name: string): string | undefined => variables[`PYROSCOPE_${name}`]?.trim() || undefined;
  const number = (name: string): number | undefined => {
    const value = Number(text(name));
    return value > 0 ? value : undefined;
  };
  return {
    adhocServerAddress: text('ADHOC_SERVER_ADDRESS'),
    serverAddress: text('SERVER_ADDRESS'),
    appName: text('APPLICATION_NAME'),
    authToken: text('AUTH_TOKEN'),
    flushIntervalMs: number('FLUSH_INTERVAL_MS'),
    wallSamplingIntervalMicros: number('WALL_SAMPLING_INTERVAL_MICROS'),
  };
}

/** `a,b*`; empty parts are left out. */
function parseNames(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** `k=v,k=v`; a part without `=` is left out. */
function parseLabels(text: string): Record<string, string> {
  const labels: [string, string][] = [];
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at > 0) labels.push([part.slice(0, at).trim(), part.slice(at + 1).trim()]);
  }
  return Object.fromEntries(labels);
}
