import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';
import { listFiles, readText } from './source-files.mjs';

/** A stable error code: words in capitals, first argument of an error's constructor or a `code:`. */
const CODE_IN_SOURCE = /(?:Error\(\s*|code: |reject\(\s*|refuse\(\s*)'([A-Z]+(?:_[A-Z0-9]+)+)'/g;
const SECTION = /^## ([A-Z]+(?:_[A-Z0-9]+)+)$/gm;

/** Both ways: a code without a section leaves a user alone, a section without a code is a lie. */
export function checkErrorCodes() {
  const inSource = new Map();
  for (const file of listFiles(['libs', 'apps'], ['.ts'])) {
    // Warnings of a comparison are words of its result, listed in docs/comparison.md, and refuse nothing.
    if (/\.test\.ts$|\/test\/|\/testing\/|\/warnings\.ts$/.test(file)) continue;
    for (const [, code] of readText(file).matchAll(CODE_IN_SOURCE)) inSource.set(code, file);
  }
  const inDocuments = new Map();
  for (const file of [
    'docs/errors.md',
    ...listFiles(existsSync(path.join(root, 'docs/errors')) ? ['docs/errors'] : [], ['.md']),
  ]) {
    for (const [, code] of readText(file).matchAll(SECTION)) inDocuments.set(code, file);
  }
  const allText = listFiles(['libs', 'apps'], ['.ts', '.tsx']).map(readText).join('\n');
  return [
    ...[...inSource]
      .filter(([code]) => !inDocuments.has(code))
      .map(([code, file]) => `${code} (${file}) has no section in docs/errors`),
    ...[...inDocuments]
      .filter(([code]) => !allText.includes(`'${code}'`))
      .map(([code, file]) => `${file}: ${code} is in no source file`),
  ];
}

/** Relative links in Markdown, without their anchors. */
export function checkLinks() {
  const faults = [];
  for (const file of listFiles(['.'], ['.md'])) {
    for (const [, target] of readText(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)) {
      if (!existsSync(path.join(root, path.dirname(file), decodeURIComponent(target))))
        faults.push(`${file}: ${target} does not exist`);
    }
  }
  return faults;
}

export function checkDecisions() {
  const faults = [];
  const numbers = new Set();
  for (const name of readdirSync(path.join(root, 'docs/decisions'))) {
    if (name === 'README.md') continue;
    const number = /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1];
    if (number === undefined) faults.push(`docs/decisions/${name}: must be named NNNN-what-was-decided.md`);
    else if (numbers.has(number)) faults.push(`docs/decisions/${name}: ${number} is taken`);
    else numbers.add(number);
    const text = readText(`docs/decisions/${name}`);
    for (const part of ['Context', 'Decision', 'Consequences', 'How we will know it was wrong']) {
      if (!new RegExp(`^#+ ${part}`, 'm').test(text)) faults.push(`docs/decisions/${name}: no section "${part}"`);
    }
  }
  return faults;
}

/** Every file below a folder named fixtures stands in its MANIFEST.json, with its right hash. */
export function checkFixtures() {
  const faults = [];
  for (const folder of fixtureFolders()) {
    const manifestFile = path.join(root, folder, 'MANIFEST.json');
    if (!existsSync(manifestFile)) {
      faults.push(`${folder}: no MANIFEST.json`);
      continue;
    }
    const entries = new Map(JSON.parse(readFileSync(manifestFile, 'utf8')).map((entry) => [entry.file, entry]));
    const files = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !['MANIFEST.json', 'README.md'].includes(entry.name))
      .map((entry) => path.relative(path.join(root, folder), path.join(entry.parentPath ?? entry.path, entry.name)));
    for (const file of files) {
      const entry = entries.get(file);
      const sha256 = createHash('sha256')
        .update(readFileSync(path.join(root, folder, file)))
        .digest('hex');
      if (!entry) faults.push(`${folder}/${file}: not in MANIFEST.json`);
      else if (entry.sha256 !== sha256) faults.push(`${folder}/${file}: has changed since its manifest was written`);
      else if (!entry.licence || !entry.origin) faults.push(`${folder}/${file}: no licence or origin`);
    }
    for (const file of entries.keys()) if (!files.includes(file)) faults.push(`${folder}/MANIFEST.json: ${file} does not exist`);
  }
  return faults;
}

function fixtureFolders() {
  const found = [];
  for (const top of ['libs', 'apps', 'test']) {
    if (!existsSync(path.join(root, top))) continue;
    for (const entry of readdirSync(path.join(root, top), { recursive: true, withFileTypes: true })) {
      const folder = path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name));
      if (entry.isDirectory() && entry.name === 'fixtures' && !folder.includes('node_modules')) found.push(folder);
    }
  }
  return found;
}
