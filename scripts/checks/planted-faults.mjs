import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../root.mjs';

/** The rules that need types do nothing, and say nothing, when their set-up is wrong: so each must find a fault. */
const FAULTS = {
  'no-floating-promises': 'export async function later() { await 0; }\nexport function run() { later(); }\n',
  'switch-exhaustiveness-check': "export function say(side: 'a' | 'b') { switch (side) { case 'a': return 1; } return 0; }\n",
};

export function checkPlantedFaults() {
  const folder = path.join(root, 'libs/profile-model/src/planted-faults');
  const faults = [];
  mkdirSync(folder, { recursive: true });
  try {
    for (const [rule, text] of Object.entries(FAULTS)) {
      writeFileSync(path.join(folder, `${rule}.ts`), text);
    }
    const { stdout } = spawnSync(process.execPath, ['node_modules/oxlint/bin/oxlint', '--type-aware', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    for (const rule of Object.keys(FAULTS))
      if (!stdout.includes(rule)) faults.push(`${rule} did not find the fault planted for it`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return faults;
}
