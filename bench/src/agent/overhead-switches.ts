import { AsyncLocalStorage } from 'node:async_hooks';
import { init, span, stop, tag, type AgentOptions } from '@hearth/agent';

/** Something that can be switched on and off in a running server. */
export interface Measured {
  start(): void;
  stop(): Promise<unknown>;
  /** Around the handler of every request, on or off. */
  around<Result>(fn: () => Promise<Result>): Promise<Result>;
}

const quiet = { info: () => {}, warn: () => {} };
/** A revision that is given, so that no file is looked for at each start. */
const AGENT: AgentOptions = { key: 'bench', service: 'bench', revision: 'bench', logger: quiet };
/** Longer than a slice, because flushes are measured apart. */
const LONG_PERIOD_MS = 60_000;
const asItIs = <Result>(fn: () => Promise<Result>): Promise<Result> => fn();
const hearth =
  (options: AgentOptions, around: Measured['around'] = asItIs): Switch =>
  (url, periodMs = LONG_PERIOD_MS) => ({ start: () => init({ ...AGENT, ...options, url, periodMs }), stop, around });
const tagged: Measured['around'] = (fn) => {
  tag({ plan: 'pro', items: '2-9' });
  return span('work', fn);
};

/** @param periodMs - Of the agent. */
type Switch = (url: string, periodMs?: number) => Measured;

export const switches: Record<string, Switch> = {
  nothing: () => ({ start: () => {}, stop: async () => {}, around: asItIs }),
  hearth: hearth({ waits: 'off' }),
  'hearth-waits': hearth({}),
  'hearth-tagged': hearth({}, tagged),
  'async-local-storage': () => {
    const storage = new AsyncLocalStorage<object>();
    let isOn = false;
    return {
      start: () => {
        isOn = true;
      },
      stop: async () => {
        isOn = false;
        storage.disable();
      },
      around: (fn) => (isOn ? storage.run({}, fn) : fn()),
    };
  },
  pyroscope: (url) => {
    const loaded = import('@pyroscope/nodejs').then(({ default: Pyroscope }) => {
      Pyroscope.init({
        appName: 'bench',
        serverAddress: url,
        flushIntervalMs: 60_000,
        wall: { collectCpuTime: true, samplingDurationMs: 60_000, samplingIntervalMicros: 10_101 },
      });
      return Pyroscope;
    });
    let client: Awaited<typeof loaded> | undefined;
    void loaded.then((one) => {
      client = one;
    });
    let isOn = false;
    return {
      start: () => {
        isOn = true;
        client!.start();
      },
      stop: () => {
        isOn = false;
        return client!.stop();
      },
      // Its labels wrap what is synchronous; the handler itself runs in any case.
      around: (fn) => {
        if (!isOn) return fn();
        let result: ReturnType<typeof fn> | undefined;
        client!.wrapWithLabels({ transaction: 'GET /orders/:id' }, () => {
          result = fn();
        });
        return result!;
      },
    };
  },
};
