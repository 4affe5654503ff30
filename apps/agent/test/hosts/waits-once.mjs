// Waits that are none, and such as could be counted twice: sleeps that are given up or hold nothing, a request that passes two agents, what `cp` of Node is made of. argv: slow HTTP peer
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import fs, { cp } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flush, init, stop, transaction } from '../../dist/index.mjs';

const [peerUrl] = process.argv.slice(2);
init({ periodMs: 1_000 });

const holding = setInterval(() => {}, 10);
await transaction('slept', () => sleep(60));
await transaction('unheld', () => sleep(60, undefined, { ref: false }));
await transaction('aborted', () => sleep(10_000, undefined, { signal: AbortSignal.timeout(60) }).catch(() => {}));
for (const options of [
  null,
  {
    get ref() {
      throw new Error('of the program');
    },
  },
]) {
  await transaction('refused', async () => sleep(60, undefined, options)).catch((error) =>
    console.log(error.code ?? error.message),
  );
}
clearInterval(holding);

/** As those of agent-base 7, from which proxy-agent is made: it gives each request to an agent that it chooses. */
class ChoosingAgent extends Agent {
  #chosen = new Agent();
  createSocket(request, options) {
    this.#chosen.addRequest(request, options);
  }
}
await transaction(
  'requested',
  () =>
    new Promise((resolve, reject) => {
      const options = { agent: new ChoosingAgent() };
      get(peerUrl, options, (response) => response.resume().once('close', resolve)).once('error', reject);
    }),
);

const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-cp-'));
try {
  cpSync(path.dirname(process.argv[1]), path.join(folder, 'hosts'), { recursive: true });
  for (const [name, copy] of Object.entries({ copied: cp, 'copied by name': (...args) => fs.cp(...args) }))
    await transaction(name, () => copy(path.join(folder, 'hosts'), path.join(folder, name), { recursive: true }));
} finally {
  rmSync(folder, { recursive: true });
}
await flush();
await stop();
