/**
 * How many samples carry the wrong transaction, or none, when 50 asynchronous transactions of 3 kinds run at once. The truth is in
 * the stack: every busy section runs in a function named after its kind. Peers: both labelling calls of @pyroscope/nodejs.
 */
import { checkAttribution, type Checked } from './agent/check-attribution.js';
import { Collector } from './agent/collector.js';
import { printFigures, round } from './agent/figures.js';
import { runProgram } from './agent/run-program.js';

const hearth = await checkSamples('hearth', 75);
const wrap = await checkSamples('pyroscope-wrap', 20);
const set = await checkSamples('pyroscope-set', 20);
printFigures({
  node: process.versions.node,
  checked_samples: hearth.checked,
  wrong_pct: percent(hearth.wrong, hearth.checked),
  unlabelled_pct: percent(hearth.unlabelled, hearth.checked),
  pyroscope_wrap_checked_samples: wrap.checked,
  pyroscope_wrap_wrong_pct: percent(wrap.wrong, wrap.checked),
  pyroscope_wrap_unlabelled_pct: percent(wrap.unlabelled, wrap.checked),
  pyroscope_set_checked_samples: set.checked,
  pyroscope_set_wrong_pct: percent(set.wrong, set.checked),
  pyroscope_set_unlabelled_pct: percent(set.unlabelled, set.checked),
});

async function checkSamples(who: string, seconds: number): Promise<Checked> {
  const collector = await new Collector().open();
  await runProgram('attribution-host.ts', [who, collector.url, String(seconds)]);
  const checked = checkAttribution(collector);
  await collector.close();
  return checked;
}

function percent(part: number, whole: number): number {
  return round((part / whole) * 100, 2);
}
