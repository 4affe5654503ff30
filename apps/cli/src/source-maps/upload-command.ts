import { statSync } from 'node:fs';
import path from 'node:path';
import { findIdentity } from '../../../agent/src/identity/service-identity.js';
import { readEnvironment as readAgentEnvironment } from '../../../agent/src/options/environment.js';
import { CliError, EXIT, type ExitCode, type Terminal } from '../terminal.js';
import { findMaps, unreadable } from './find-maps.js';
import { obstacleOf, sendMap } from './send-map.js';
import type { UploadOptions, UploadPlan, UploadResult } from './upload-plan.js';
import { describeUpload, sizeText } from './upload-report.js';
import { withoutSources } from './without-sources.js';

const DEFAULT_URL = 'http://127.0.0.1:4040';

/** @throws {CliError} */
export async function uploadSourceMaps(options: UploadOptions, terminal: Terminal): Promise<ExitCode> {
  const plan = planUpload(options);
  const { maps } = plan.found;
  const results = maps.map(({ refusal }): UploadResult =>
    refusal === undefined ? undefined : { code: 'SOURCE_MAP_INVALID', why: refusal },
  );
  if (options.mode === 'upload' && maps.length > 0) {
    const key = options.key;
    if (key === undefined || key === '')
      throw new CliError(
        EXIT.usage,
        `no key: make an ingest key on the Install page of ${plan.url.origin} and set HEARTH_KEY, or pass --key`,
      );
    for (const [at, map] of maps.entries()) {
      showProgress(terminal, `${at + 1} of ${maps.length}: ${map.file} (${sizeText(map.bytes.length)})`);
      results[at] ??= await sendMap({ url: plan.url, key }, plan, map);
      if (obstacleOf(results[at]) !== undefined) break; // it would be the same for each of the others
    }
    showProgress(terminal, '');
  }
  const report = describeUpload(plan, results, options);
  terminal.out(report.text);
  if (report.advice !== '') terminal.err(`hearth: ${report.advice}\n`);
  if (maps.length === 0) return EXIT.nothing;
  return results.some((result) => result !== undefined && !('answer' in result)) ? EXIT.failed : EXIT.done;
}

function planUpload({ dir, variables, ...given }: UploadOptions): UploadPlan {
  const absolute = path.resolve(dir);
  if (!readable(dir, () => statSync(absolute, { throwIfNoEntry: false }))?.isDirectory())
    throw new CliError(EXIT.usage, `${dir} is no folder: name the one that the build wrote`);
  // As the agent has it. `fetch` refuses any other, and shows it.
  if (given.key && !/^[\x21-\x7e]+$/.test(given.key))
    throw new CliError(EXIT.usage, 'the key has characters that no key has (--key, HEARTH_KEY)');
  const url = serverUrl(given.url ?? DEFAULT_URL);
  const environment = readAgentEnvironment(variables);
  const identity = findIdentity(
    {
      service: given.service ?? environment.service ?? '',
      revisionOption: given.revision ?? '',
      revisionVariable: environment.revision ?? '',
    },
    absolute,
  );
  if (identity.revision === '')
    throw new CliError(
      EXIT.usage,
      'no revision: neither .git nor a variable tells it here. Pass --revision, the one that its processes will send',
    );
  const root = path.resolve(given.root ?? (identity.rootDir || absolute));
  if (path.relative(root, absolute).startsWith('..')) throw new CliError(EXIT.usage, `${dir} is not inside of ${root} (--root)`);
  const { maps, without } = readable(dir, () => findMaps(absolute, root));
  return {
    url,
    service: identity.service,
    revision: identity.revision,
    revisionSource: identity.revisionSource,
    root,
    found: { maps: given.sources === 'left-out' ? maps.map(withoutSources) : maps, without },
  };
}

/** @throws {CliError} Where the folder cannot be read. */
function readable<T>(dir: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error; // a fault of ours
    throw new CliError(EXIT.usage, `${dir} ${unreadable(error)}`);
  }
}

function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    const shown = text.includes('@') ? 'the address' : `"${text.slice(0, 200)}"`; // before an @ may be a password
    throw new CliError(EXIT.usage, `${shown} is no http(s) address of a Hearth server (--url, HEARTH_URL)`);
  }
  if (url.username !== '' || url.password !== '')
    throw new CliError(EXIT.usage, 'the address has a user name or password in it: leave them out (--url, HEARTH_URL)');
  return url;
}

/** On one line, for whom it is of interest. */
function showProgress({ err, isInteractive }: Terminal, text: string): void {
  if (isInteractive) err(`\r\u001B[K${text}`);
}
