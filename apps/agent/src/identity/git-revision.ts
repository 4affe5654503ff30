import { readFileSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';

/** The folders of a repository, read from the file system alone: no `git` is run. */
export interface GitFolders {
  /** Folder of the checkout. */
  readonly workTree: string;
  /** Folder that holds HEAD: `.git`, or the worktree's own part of it. */
  readonly gitDir: string;
  /** Folder that holds branches and packed refs: the same, except in a worktree. */
  readonly commonDir: string;
}

/** A full object name: SHA-1 or SHA-256. */
const OBJECT_NAME = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** A ref names a file: it must stay inside the folder. */
const REF = /^refs\/(?!.*\.\.)[^\s\0\\]+$/;
/** A symbolic ref may point at another one; git itself stops at five. */
const MAX_REF_HOPS = 5;

/** The repository around a folder; `undefined` outside of one. */
export function findGitFolders(startDir: string): GitFolders | undefined {
  for (let dir = path.resolve(startDir); ; dir = path.dirname(dir)) {
    const gitDir = gitDirOf(dir);
    if (gitDir !== undefined) return { workTree: dir, gitDir, commonDir: commonDirOf(gitDir) };
    if (dir === path.dirname(dir)) return undefined;
  }
}

/** The commit that is checked out: by branch (loose or packed), or detached. `undefined` where it cannot be told, as before the first commit. */
export function readGitHead({ gitDir, commonDir }: GitFolders): string | undefined {
  let ref = readLine(path.join(gitDir, 'HEAD'));
  for (let hop = 0; hop < MAX_REF_HOPS && ref !== undefined; hop += 1) {
    if (OBJECT_NAME.test(ref)) return ref;
    const name = ref.startsWith('ref: ') ? ref.slice('ref: '.length) : '';
    if (!REF.test(name)) return undefined;
    ref = readLine(path.join(gitDir, name)) ?? readLine(path.join(commonDir, name)) ?? readPackedRef(commonDir, name);
  }
  return undefined;
}

/** `.git` is a folder, or in a worktree or submodule a file that names one. */
function gitDirOf(dir: string): string | undefined {
  const dotGit = path.join(dir, '.git');
  const kind = statOf(dotGit);
  if (kind?.isDirectory()) return statOf(path.join(dotGit, 'HEAD')) !== undefined ? dotGit : undefined;
  if (!kind?.isFile()) return undefined;
  const line = readLine(dotGit);
  return line?.startsWith('gitdir: ') ? path.resolve(dir, line.slice('gitdir: '.length)) : undefined;
}

function commonDirOf(gitDir: string): string {
  const line = readLine(path.join(gitDir, 'commondir'));
  return line === undefined ? gitDir : path.resolve(gitDir, line);
}

/** Lines `<object name> <ref>`; `#` begins a comment and `^` the target of the tag above. */
function readPackedRef(commonDir: string, name: string): string | undefined {
  for (const line of (readText(path.join(commonDir, 'packed-refs')) ?? '').split('\n')) {
    const [objectName, ref] = line.trimEnd().split(' ');
    if (ref === name && OBJECT_NAME.test(objectName!)) return objectName;
  }
  return undefined;
}

/** `undefined` also for what may not be looked at. */
function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function readLine(file: string): string | undefined {
  return readText(file)?.split('\n', 1)[0]?.trim();
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
