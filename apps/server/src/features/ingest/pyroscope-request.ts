import { labelSet, MAX_NAME_LENGTH, storableText, type EpochMs, type Label, type LabelSet } from '@hearth/profile-model';
import { HearthError } from '../../platform/http/index.js';

/** What a Pyroscope client says about a profile in the query. */
export interface PyroscopeUpload {
  readonly service: string;
  readonly tags: LabelSet;
  readonly environment: string;
  readonly revision: string;
  readonly version: string;
  readonly host: string;
  readonly agentVersion: string;
  readonly nodeVersion: string;
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Samples per second; 100 if it does not say, as at Pyroscope. */
  readonly sampleRateHz: number;
  readonly form: PyroscopeForm;
}

/** `detect`: whatever `readProfiles` finds. */
export type PyroscopeForm = 'detect' | 'folded' | 'lines';

const REVISION_TAGS = [
  'service_git_ref',
  'git_ref',
  'git_sha',
  'git_commit',
  'commit',
  'revision',
  'service_version',
  'service.version',
  'version',
];
const ENVIRONMENT_TAGS = [
  'environment',
  'env',
  'deployment_environment',
  'deployment.environment',
  'deployment.environment.name',
];
const HOST_TAGS = ['hostname', 'host', 'pod', 'instance'];
/** Of Pyroscope's `format`: the ones that are text in our sense, and the ones that are found out by content. */
const FORMS: Readonly<Record<string, PyroscopeForm>> = {
  '': 'detect',
  pprof: 'detect',
  groups: 'folded',
  folded: 'folded',
  lines: 'lines',
};

/**
 * Reads the query of `POST /ingest`: `name=app{k=v,k2=v2}`, `from`, `until`, `format`, `sampleRate`.
 *
 * @throws {HearthError} `PYROSCOPE_NAME`, `PYROSCOPE_FORMAT` 415
 */
export function parsePyroscopeQuery(query: URLSearchParams, nowMs: EpochMs): PyroscopeUpload {
  const { name, tags } = parseName(query.get('name') ?? '');
  const tagOf = (names: readonly string[]) =>
    names.map((tag) => tags.find(([key]) => key === tag)?.[1]).find((value) => value !== undefined && value !== '') ?? '';
  const service = tagOf(['service_name']) || name;
  if (service === '' || service.length > MAX_NAME_LENGTH)
    throw new HearthError(
      'PYROSCOPE_NAME',
      `name must be app{tag=value,...} with 1 to ${MAX_NAME_LENGTH} characters before the brace`,
    );
  const format = (query.get('format') ?? '').toLowerCase();
  if (!Object.hasOwn(FORMS, format)) {
    throw new HearthError('PYROSCOPE_FORMAT', `format=${format.slice(0, 40)} is not read: send pprof, groups, folded or lines`, {
      status: 415,
    });
  }
  const untilMs = instant(query.get('until')) ?? nowMs;
  const fromMs = instant(query.get('from')) ?? untilMs - 10_000;
  const rate = Number(query.get('sampleRate') ?? 100);
  const runtime = tagOf(['process.runtime.name']);
  const runtimeVersion = tagOf(['process.runtime.version']);
  return {
    service,
    tags,
    environment: tagOf(ENVIRONMENT_TAGS).slice(0, MAX_NAME_LENGTH),
    revision: tagOf(REVISION_TAGS).slice(0, MAX_NAME_LENGTH),
    version: tagOf(['service_version', 'service.version', 'version']).slice(0, 100),
    host: tagOf(HOST_TAGS).slice(0, MAX_NAME_LENGTH),
    agentVersion: `pyroscope ${storableText(query.get('spyName') ?? '')} ${tagOf(['otel.scope.version'])}`.trim().slice(0, 100),
    nodeVersion: runtime === 'nodejs' && runtimeVersion !== '' ? `v${runtimeVersion}`.slice(0, 100) : '',
    fromMs,
    untilMs: Math.max(untilMs, fromMs + 1),
    sampleRateHz: Number.isFinite(rate) && rate > 0 && rate <= 1e6 ? rate : 100,
    form: FORMS[format]!,
  };
}

/**
 * `checkout.api{region=eu-1,pod=p "q",x}`: name and tags. Client 0.4.5 lets commas and quotes into values, so a piece without
 * `=` belongs to the value before it.
 */
export function parseName(text: string): { name: string; tags: LabelSet } {
  const brace = text.indexOf('{');
  if (brace === -1) return { name: storableText(text.trim()), tags: [] };
  const inside = text.slice(brace + 1, text.endsWith('}') ? -1 : undefined);
  const tags: Label[] = [];
  for (const piece of inside.split(',')) {
    const equals = piece.indexOf('=');
    const before = tags.at(-1);
    if (equals > 0) tags.push([storableText(piece.slice(0, equals).trim()), unquoted(storableText(piece.slice(equals + 1)))]);
    else if (before !== undefined && piece !== '') tags[tags.length - 1] = [before[0], `${before[1]},${storableText(piece)}`];
  }
  return { name: storableText(text.slice(0, brace).trim()), tags: labelSet(tags) };
}

/** `"eu"` is eu; a quote inside stays. */
function unquoted(value: string): string {
  return /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value;
}

/** Seconds by the protocol; clients exist that send milliseconds, microseconds or nanoseconds, told by their size. */
function instant(text: string | null): EpochMs | undefined {
  const number = Number(text);
  if (text === null || text === '' || !Number.isFinite(number) || number < 0) return undefined;
  if (number >= 1e17) return Math.floor(number / 1e6);
  if (number >= 1e14) return Math.floor(number / 1e3);
  if (number >= 1e11) return Math.floor(number);
  return Math.floor(number * 1000);
}
