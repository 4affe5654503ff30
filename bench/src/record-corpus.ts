/** Records bench/corpus anew: real programs, run with our agent, and the batches that it sent. `-- record-corpus [NAME...]`; bench/corpus/README.md */
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PROFILE_TYPE_IDS } from '@hearth/profile-model';
import { Collector } from './agent/collector.js';
import { writeRecording } from './corpus/corpus-file.js';
import { installTools, PROGRAMS } from './corpus/programs.js';

/** Batches of each program: two to four minutes of work. */
const ENOUGH_BATCHES = 16;
const MAX_RUNS = 12;

const wanted = process.argv.slice(2);
const tools = installTools();
const privateTexts = [
  tools.dir,
  fileURLToPath(new URL('../..', import.meta.url)),
  `${tmpdir()}/`,
  hostname(),
  homedir(),
  userInfo().username,
].filter((text) => text.length > 4);
try {
  for (const { name, run } of PROGRAMS.filter((program) => wanted.length === 0 || wanted.includes(program.name))) {
    const collector = await new Collector().open();
    try {
      const env = {
        ...process.env,
        HEARTH_URL: collector.url,
        HEARTH_KEY: 'corpus',
        HEARTH_SERVICE: name,
        HEARTH_ENVIRONMENT: 'bench',
        HEARTH_REVISION: 'recorded',
      };
      for (let runs = 0; collector.batches.length < ENOUGH_BATCHES && runs < MAX_RUNS; runs += 1) await run(env, tools.dir);
    } finally {
      await collector.close();
    }
    const { batches } = collector;
    if (batches.length < ENOUGH_BATCHES) throw new Error(`${name} sent only ${batches.length} batches in ${MAX_RUNS} runs`);
    const bytes = writeRecording({ program: name, batches }, privateTexts);
    const samples = batches
      .flatMap(({ profiles }) => profiles.filter(({ typeId }) => typeId === PROFILE_TYPE_IDS.cpu))
      .flatMap(({ sampleCount }) => [...sampleCount])
      .reduce((sum, count) => sum + count, 0);
    console.log(`${name}: ${batches.length} batches, ${samples} samples of CPU, ${bytes} bytes`);
  }
} finally {
  tools.remove();
}
