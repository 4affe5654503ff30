import { obstacleOf } from './send-map.js';
import type { UploadOptions, UploadPlan, UploadResult } from './upload-plan.js';

export interface UploadReport {
  /** For standard output. */
  readonly text: string;
  /** What to do next, where something is left to do; else ''. */
  readonly advice: string;
}

/** Of scripts without a map: the first few tell. */
const NAMED_WITHOUT = 5;

/** @param results - Of each map, in their order. */
export function describeUpload(
  plan: UploadPlan,
  results: readonly UploadResult[],
  { mode, output }: Pick<UploadOptions, 'mode' | 'output'>,
): UploadReport {
  const advice = adviceOf(plan, results);
  if (output === 'json') return { text: `${JSON.stringify(jsonOf(plan, results, mode), null, 2)}\n`, advice };
  const { maps, without } = plan.found;
  const lines = [
    `service ${plan.service}, revision ${plan.revision} (${plan.revisionSource}), files relative to ${plan.root}`,
    ...maps.map((map, at) => {
      const result = results[at];
      const size = sizeText(map.bytes.length).padStart(8);
      if (result === undefined && mode === 'upload') return `  not sent   ${size}  ${map.file}`;
      if (result === undefined) return `  found      ${size}  ${map.file}  (${map.from})`;
      if (!('answer' in result)) return `  failed     ${size}  ${map.file}  ${result.code}: ${result.why}`;
      const { outcome, sources } = result.answer;
      return `  ${outcome.padEnd(9)}  ${size}  ${map.file}  ${sources} ${sources === 1 ? 'source' : 'sources'}`;
    }),
    ...without.slice(0, NAMED_WITHOUT).map(({ file, why }) => `  no map               ${file}  ${why}`),
    ...(without.length > NAMED_WITHOUT ? [`  no map               ${without.length - NAMED_WITHOUT} more scripts`] : []),
    summaryOf(plan, results, mode),
  ];
  return { text: `${lines.join('\n')}\n`, advice };
}

export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function summaryOf({ url, found: { maps } }: UploadPlan, results: readonly UploadResult[], mode: UploadOptions['mode']): string {
  if (mode === 'dry-run') return `${countText(maps.length)} would be sent to ${url.origin}; nothing was.`;
  const there = results.filter((result) => result !== undefined && 'answer' in result).length;
  return `${there} of ${countText(maps.length)} ${there === 1 ? 'is' : 'are'} at ${url.origin}.`;
}

function adviceOf({ found: { maps, without } }: UploadPlan, results: readonly UploadResult[]): string {
  if (maps.length === 0)
    return without.length === 0
      ? 'no scripts in this folder: name the one that the build wrote'
      : 'no source maps found: let the build write them (esbuild --sourcemap, tsc --sourceMap, webpack devtool: "source-map")';
  const obstacles = results.map(obstacleOf);
  if (obstacles.includes('key-refused'))
    return 'the key was refused: make an ingest key on the Install page, and pass it as --key or HEARTH_KEY';
  if (obstacles.includes('no-hearth-server'))
    return 'not everything was sent: name the address of the Hearth server with --url or HEARTH_URL';
  if (obstacles.includes('server-away'))
    return 'not everything was sent: run the command again when the server answers; what is there is not stored twice';
  if (obstacles.includes('server-busy'))
    return 'not everything was sent: the server was busy for two minutes. Run the command again later; what is there is not stored twice';
  const codes = new Set(results.flatMap((result) => (result === undefined || 'answer' in result ? [] : [result.code])));
  if (codes.size === 0) return '';
  return `not everything was sent. docs/errors.md says what to do: ${[...codes].join(', ')}`;
}

function jsonOf(plan: UploadPlan, results: readonly UploadResult[], mode: UploadOptions['mode']): object {
  const { url, service, revision, revisionSource, root, found } = plan;
  return {
    url: url.origin,
    service,
    revision,
    revisionSource,
    root,
    mode,
    maps: found.maps.map(({ file, from, bytes }, at) => {
      const result = results[at];
      const base = { file, from, bytes: bytes.length };
      if (result === undefined) return { ...base, outcome: mode === 'upload' ? 'not-sent' : 'found' };
      if ('answer' in result) return { ...base, outcome: result.answer.outcome, sources: result.answer.sources };
      return { ...base, outcome: 'failed', code: result.code, why: result.why };
    }),
    without: found.without,
  };
}

const countText = (maps: number): string => `${maps} source ${maps === 1 ? 'map' : 'maps'}`;
