import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../root.mjs';
import { SetupError } from '../setup/setup-error.mjs';
import { Children } from './children.mjs';
import { choosePort, takeDemoPlace } from './demo-place.mjs';
import { HearthApi } from './hearth-api.mjs';
import { falseAlarms, plantedPct } from './planted-changes.mjs';
import { servedBetween, ShopFleet } from './shop-fleet.mjs';
import { layOutReleases } from './shop-releases.mjs';

const SERVICE = 'shop';
const ENVIRONMENT = 'demo';
const EMAIL = 'admin@localhost';
const PROCESSES_PER_SIDE = 8;
/** First requests meet unoptimised code. */
const WARM_UP_MS = 15_000;
/** Then it is seen what a request costs, to choose their rate. */
const WEIGH_MS = 10_000;
/** After the rate was changed, before what is compared. */
const SETTLE_MS = 5_000;
/** How long both releases are compared. docs/demo.md says why so long. */
const COMPARED_MS = 150_000;
/** Agents send every 10 s, and the server takes a moment. */
const LAST_BATCHES_MS = 15_000;
const READY_WITHIN_MS = 60_000;
const COMPARED_WITHIN_MS = 120_000;
const PROGRESS_EVERY_MS = 15_000;
/** Above it, requests wait for each other and for other programs, and costs are divided less exactly (decision 0081). */
const BUSY_SHARE = 0.8;
/** Once it is only looked at. */
const QUIET_FACTOR = 4;

/**
 * The whole demo, from an empty database to a verdict.
 *
 * @param {{ exit: boolean, json: boolean }} options - `exit`: end after the comparison; `json`: its figures as the last line.
 */
export async function runDemo({ exit, json }) {
  const startedMs = Date.now();
  const cancel = new AbortController();
  let fault;
  const say = (text) => console.log(`[${String(Math.round((Date.now() - startedMs) / 1000)).padStart(3)} s] ${text}`);
  const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const interrupted = new Promise((resolve) => {
    for (const signal of stopSignals) {
      process.on(signal, () => {
        resolve(signal);
        cancel.abort();
      });
    }
  });

  let place;
  let port;
  try {
    port = await choosePort();
    place = takeDemoPlace();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
  const children = new Children(path.join(place.dir, 'logs'), (name, reason) => {
    if (cancel.signal.aborted) return;
    fault = `${name} ${reason}`;
    cancel.abort();
  });
  const fleet = new ShopFleet(children);
  let server;
  let figures;
  try {
    const { signal } = cancel;
    const hearth = startHearth(children, place, port);
    server = hearth.process;
    const { api, url } = hearth;
    say('Starting Hearth with its own Postgres');
    await api.untilReady(READY_WITHIN_MS, signal);
    say(`Dashboard: ${url}   sign in as ${EMAIL} with ${hearth.password}`);
    const releases = layOutReleases(path.join(place.dir, 'shop'));
    const [baseline, candidate] = releases;
    await startReleases({ releases, fleet, api, url, say });
    const { before, after, busyShare } = await serveVisitors(fleet, say, signal);
    say('Comparing');
    const selection = {
      service: SERVICE,
      environment: ENVIRONMENT,
      type: 'cpu',
      from: String(before.atMs),
      until: String(after.atMs),
    };
    const comparison = await api.compare(
      { baseline: { ...selection, revision: baseline.sha }, candidate: { ...selection, revision: candidate.sha } },
      COMPARED_WITHIN_MS,
      signal,
    );
    figures = figuresOf(comparison, servedBetween(before, after), {
      url,
      baseline,
      candidate,
      seconds: (Date.now() - startedMs) / 1000,
    });
    sayVerdict(say, figures, comparison.result);
    if (busyShare > BUSY_SHARE) {
      say(
        `This machine was ${(100 * busyShare).toFixed(0)} % busy, also with other programs: the sizes of changes are less exact than their intervals say.`,
      );
    }
    if (!exit) {
      fleet.slowDown(QUIET_FACTOR);
      say('Keeps running, with fewer visitors. Ctrl-C stops everything.');
      const endedBy = await Promise.race([
        interrupted,
        new Promise((resolve) => cancel.signal.addEventListener('abort', () => resolve('fault'))),
      ]);
      if (endedBy !== 'fault') console.log('');
    }
  } catch (error) {
    if (!cancel.signal.aborted) fault = error.stack ?? String(error);
  } finally {
    children.expectEnd();
    say('Stopping');
    await fleet.stop();
    if (server !== undefined) await children.stop([server]);
    place.release();
  }
  if (fault !== undefined) {
    console.error(`The demo failed: ${fault}\nLogs are in ${path.join(place.dir, 'logs')}.`);
    process.exit(1);
  }
  if (json && figures !== undefined) console.log(JSON.stringify(figures));
  process.exit(figures === undefined && exit ? 130 : 0);
}

/** An empty Hearth, on its way up. */
function startHearth(children, place, port) {
  const url = `http://127.0.0.1:${port}`;
  const adminKey = randomBytes(24).toString('hex');
  const password = randomBytes(9).toString('base64url');
  const server = children.start({
    name: 'hearth',
    module: path.join(root, 'apps/server/dist/main.js'),
    cwd: root,
    env: {
      PORT: String(port),
      HEARTH_ROLE: 'all',
      HEARTH_DATA_DIR: place.dataDir,
      HEARTH_BOOTSTRAP_KEY: adminKey,
      HEARTH_ADMIN_EMAIL: EMAIL,
      HEARTH_ADMIN_PASSWORD: password,
      HOST: process.env.HOST ?? '127.0.0.1',
    },
  });
  return { process: server, url, password, api: new HearthApi(url, adminKey) };
}

/** Both releases with their agents, and their deploys announced. */
async function startReleases({ releases, fleet, api, url, say }) {
  const { key } = await api.createApiKey('demo shop', 'ingest');
  const agentEnv = { HEARTH_URL: url, HEARTH_KEY: key, HEARTH_SERVICE: SERVICE, HEARTH_ENVIRONMENT: ENVIRONMENT };
  await fleet.start(releases, PROCESSES_PER_SIDE, agentEnv, (started, all) =>
    say(`Starting the shop, ${PROCESSES_PER_SIDE} processes of each release: ${started} of ${all}`),
  );
  for (const { sha, version } of releases) {
    await api.announceDeploy({ service: SERVICE, environment: ENVIRONMENT, revision: sha, version });
    say(`Deployed ${SERVICE} ${version} at ${sha.slice(0, 12)}`);
  }
}

/** Load on both releases. @returns What was served at the beginning and the end of the compared time, and how busy the machine was */
async function serveVisitors(fleet, say, signal) {
  say(`Visitors come; ${(WARM_UP_MS + WEIGH_MS) / 1000} s to warm up`);
  await sleep(WARM_UP_MS, undefined, { signal });
  const warm = await fleet.served();
  await sleep(WEIGH_MS, undefined, { signal });
  const perSecond = await fleet.adjustRate(warm);
  say(`${perSecond.toFixed(0)} requests a second on ${2 * PROCESSES_PER_SIDE} processes`);
  await sleep(SETTLE_MS, undefined, { signal });

  const before = await fleet.served();
  const cpuBefore = machineCpu();
  await watchLoad(COMPARED_MS, fleet, say, signal);
  const after = await fleet.served();
  const busyShare = busyBetween(cpuBefore, machineCpu());
  say('Waiting for the last batches');
  await sleep(LAST_BATCHES_MS, undefined, { signal });
  return { before, after, busyShare };
}

/** Time that all processors together have spent, in milliseconds. */
function machineCpu() {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, one) => sum + one.idle, 0);
  return { idle, all: times.reduce((sum, one) => sum + one.user + one.nice + one.sys + one.idle + one.irq, 0) };
}

/** Share of the machine's CPU that was used, 0..1. */
function busyBetween(before, after) {
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

async function watchLoad(durationMs, fleet, say, signal) {
  for (const untilMs = Date.now() + durationMs; Date.now() < untilMs;) {
    const leftMs = untilMs - Date.now();
    const { answered, failed } = fleet.requests;
    say(
      `Collecting: ${(leftMs / 1000).toFixed(0)} s to go, ${answered} requests answered${failed > 0 ? `, ${failed} failed` : ''}`,
    );
    await sleep(Math.min(PROGRESS_EVERY_MS, leftMs), undefined, { signal });
  }
}

/** The line of JSON: every figure from the comparison's answer or from what the shops say they served. */
function figuresOf({ id, result }, [servedByBaseline, servedByCandidate], { url, baseline, candidate, seconds }) {
  // The list that the Compare page opens with: what ends in the function itself, most certain and largest first.
  const top = result.functions.find(({ metric }) => metric === 'self');
  return {
    dashboard: url,
    comparison: `${url}/compare/${id}`,
    baseline: baseline.sha,
    candidate: candidate.sha,
    processes: [result.baseline.processes, result.candidate.processes],
    samples: [result.baseline.samples, result.candidate.samples],
    planted_pct: plantedPct(servedByBaseline, servedByCandidate),
    top: top && {
      function: top.function.name,
      transaction: top.transaction,
      verdict: top.change.verdict,
      delta_pct: top.change.deltaPct,
      interval_pct: top.change.intervalPct,
    },
    false_alarms: falseAlarms(result),
    seconds: Math.round(seconds),
  };
}

function sayVerdict(say, { comparison, top, planted_pct: planted, processes, samples, false_alarms: alarms }, result) {
  const percent = (value) => `${value > 0 ? '+' : ''}${value.toFixed(1)} %`;
  const interval = (pct) => (pct === null ? '' : ` (95 %: ${percent(pct[0])} to ${percent(pct[1])})`);
  say(`Compared ${processes.join(' and ')} processes, ${samples.join(' and ')} samples:`);
  for (const { function: key, transaction, change } of result.functions
    .filter(({ metric, change }) => metric === 'self' && isAlarm(change.verdict))
    .slice(0, 6)) {
    const size = change.deltaPct === null ? '' : ` ${percent(change.deltaPct)}${interval(change.intervalPct)}`;
    console.log(`          ${change.verdict} ${key.name} (${key.file}) in ${transaction ?? 'the whole service'}${size}`);
  }
  say(
    `What was planted, by the requests served: estimateDelivery ${percent(planted)} per cart page; on top of the list: ${top === undefined ? 'nothing' : `${top.function} in ${top.transaction}`}`,
  );
  if (alarms.length > 0)
    say(
      `${alarms.length} alarms that nothing planted explains: ${alarms.map((alarm) => `${alarm.verdict} ${alarm.function ?? ''} in ${alarm.transaction}`).join('; ')}`,
    );
  say(`Comparison: ${comparison}`);
}

function isAlarm(verdict) {
  return ['REGRESSED', 'IMPROVED', 'NEW', 'GONE'].includes(verdict);
}
