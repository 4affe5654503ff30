import { realpathSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { findGitFolders, readGitHead, type GitFolders } from './git-revision.js';
import { findServicePackage, type ServicePackage } from './package-json.js';

/** Who this process is: what its profiles are filed under. */
export interface ServiceIdentity {
  readonly service: string;
  readonly revision: string;
  readonly revisionSource: RevisionSource | '';
  /** Version of the package.json; '' if unknown. */
  readonly version: string;
  /** Of the repository, else of the package.json; '' if unknown. */
  readonly rootDir: string;
  /** The repository, if its HEAD is the revision: whether it is dirty can be asked of it. */
  readonly git: GitFolders | undefined;
}

export type RevisionSource = 'option' | 'environment' | 'file' | 'git' | 'package';

/** What the host says about itself; '' where it says nothing. */
export interface GivenIdentity {
  readonly service: string;
  readonly revisionOption: string;
  readonly revisionVariable: string;
}

/** A file that a build may leave in the root of the service: its first line is the revision. */
const REVISION_FILE = 'REVISION';
const MAX_REVISION_LENGTH = 200;

/** @param startDir - Folder of the main script. */
export function findIdentity(given: GivenIdentity, startDir: string): ServiceIdentity {
  const servicePackage = findServicePackage(startDir);
  const git = findGitFolders(startDir);
  const rootDir = git?.workTree ?? servicePackage?.dir ?? '';
  const { revision, source } = findRevision(given, servicePackage, git, startDir);
  return {
    service: given.service || servicePackage?.name || path.basename(path.resolve(startDir)) || 'unnamed-service',
    revision: revision.slice(0, MAX_REVISION_LENGTH),
    revisionSource: source,
    version: servicePackage?.version ?? '',
    rootDir,
    git: source === 'git' ? git : undefined,
  };
}

/**
 * Folder of the script that was started; the working directory where that is a tool inside `node_modules`.
 *
 * @param cwd - Throws where the directory has been removed; then it is the root of the file system.
 */
export function mainScriptDir(argv: readonly string[], cwd: () => string): string {
  try {
    const real = realpathSync(argv[1]!);
    if (!real.split(path.sep).includes('node_modules')) return statSync(real).isDirectory() ? real : path.dirname(real); // `node .`
  } catch {
    // `node -e`, or a script that is no file
  }
  try {
    return cwd();
  } catch {
    return path.parse(process.execPath).root;
  }
}

function findRevision(
  given: GivenIdentity,
  servicePackage: ServicePackage | undefined,
  git: GitFolders | undefined,
  startDir: string,
): { revision: string; source: RevisionSource | '' } {
  if (given.revisionOption !== '') return { revision: given.revisionOption, source: 'option' };
  if (given.revisionVariable !== '') return { revision: given.revisionVariable, source: 'environment' };
  for (const dir of new Set([startDir, servicePackage?.dir, git?.workTree])) {
    const revision = dir === undefined ? '' : firstLine(path.join(dir, REVISION_FILE));
    if (revision !== '') return { revision, source: 'file' };
  }
  const head = git && readGitHead(git);
  if (head !== undefined) return { revision: head, source: 'git' };
  const ofPackage = servicePackage?.gitHead || servicePackage?.version || '';
  return ofPackage === '' ? { revision: '', source: '' } : { revision: ofPackage, source: 'package' };
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n', 1)[0]!.trim();
  } catch {
    return '';
  }
}
