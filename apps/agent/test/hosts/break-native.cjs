// Preloaded: makes parts of @datadog/pprof fail to load, as on a platform without a binary, or after it was changed.
const Module = require('node:module');

const load = Module._load;
Module._load = function (request, ...rest) {
  const isInner = request.endsWith('time-profiler-bindings.js') && request.startsWith('@datadog/pprof');
  if (process.env.BREAK === 'inner' && isInner) return {};
  if (process.env.BREAK === 'all' && request.startsWith('@datadog/pprof')) throw new Error('no native build was found');
  return Reflect.apply(load, this, [request, ...rest]);
};
