import { root } from '../root.mjs';
import { listFiles, readText } from './source-files.mjs';

/** What must not stand in any file, and why. */
const FORBIDDEN = [
  { pattern: /^export \* from/m, only: /\.tsx?$/, why: 'an index names what it exports, so that nothing becomes public unseen' },
  {
    pattern: /"resolved": "https?:/,
    why: 'the lock file records no addresses of registries: install with the .npmrc of this project',
  },
  { pattern: /["'`(\s]\/root\//, why: 'a path of one machine' },
];
const ENDINGS = ['.ts', '.tsx', '.mjs', '.js', '.json', '.md', '.yml', '.sql', '.sh', '.html', '.css'];

export function checkSourceText() {
  const faults = [];
  for (const file of listFiles(['.'], ENDINGS)) {
    if (file.startsWith('scripts/checks/')) continue;
    const text = readText(file);
    if (text.includes(`${root}/`)) faults.push(`${file}: holds the path of this checkout`);
    for (const { pattern, only, why } of FORBIDDEN) {
      const at = only && !only.test(file) ? -1 : text.search(pattern);
      if (at >= 0) faults.push(`${file}:${text.slice(0, at).split('\n').length}: ${why}`);
    }
  }
  return faults;
}
