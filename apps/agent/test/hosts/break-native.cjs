// Preloaded: makes parts of @datadog/pprof fail to load, as on a platform without a binary, or after it was changed.
const Module = require('node:module');

const load = Module._load;
Module._load = function (request, ...rest) {
  const isInner = request.endsWith('time-profiler-bindings.js') && request.startsWith('@datadog/pprof');
  if (process.env.BREAK === 'inner' && isInner) return {};
  if (process.env.BREAK === 'all' && request.startsWith('@datadog/pprof')) throw new Error('no native build was found');
  const loaded = Reflect.apply(load, this, [request, ...rest]);
  return isInner && process.env.BREAK in breaks
    ? { ...loaded, TimeProfiler: breaks[process.env.BREAK](loaded.TimeProfiler) }
    : loaded;
};

const breaks = {
  /** The tree has another form. */
  tree: (TimeProfiler) =>
    class extends TimeProfiler {
      stop(restart) {
        return { ...super.stop(restart), topDownRoot: { children: {} } };
      }
    },
  /** The first period cannot be read. Whether the sampler still runs at the end is printed. */
  period: (TimeProfiler) =>
    class extends TimeProfiler {
      #runs = false;
      constructor(options) {
        super(options);
        process.once('exit', () => console.log(`sampler ${this.#runs ? 'runs' : 'stopped'}`));
      }
      start() {
        super.start();
        this.#runs = true;
      }
      stop(restart) {
        if (restart) throw new Error('no period');
        this.#runs = false;
        return super.stop(restart);
      }
    },
};
