/** A server and a job that OpenTelemetry traces: prints what trace and span each of them has, one line each. */
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { trace } = require('@opentelemetry/api');

new NodeTracerProvider().register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { flush, span, stop, tag, transaction } = require('../../dist/index.cjs');

const tracer = trace.getTracer('host');
const say = (what, { traceId, spanId }) => console.log(`${what} ${traceId} ${spanId}`);
/** What a handler does, by the method of its request. */
const handlers = {
  GET: () => {}, // nothing but its answer tells
  POST: () => tracer.startActiveSpan('inner', (inner) => sleep(60).then(() => inner.end())),
  PUT: () => span('step', () => sleep(1)),
  DELETE: async () => tag({ plan: 'pro' }),
};
const server = http.createServer(async (request, response) => {
  say(request.method, trace.getActiveSpan().spanContext());
  await sleep(5);
  await handlers[request.method]();
  response.end('ok');
});

async function main() {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  await Promise.all(Object.keys(handlers).map(async (method) => (await fetch(url, { method })).text()));
  await tracer.startActiveSpan('around', async (around) => {
    say('around', around.spanContext());
    await transaction('around', () => sleep(1));
    around.end();
  });
  await transaction('inside', () =>
    tracer.startActiveSpan('inside', async (inside) => {
      say('inside', inside.spanContext());
      await span('step', () => sleep(1));
      inside.end();
    }),
  );
  await transaction('untraced', () => sleep(1));
  await flush();
  server.close();
  server.closeAllConnections();
  await stop();
}
void main();
