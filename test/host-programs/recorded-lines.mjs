/**
 * Works on two lines, one three times as long as the other, and writes a gzipped pprof whose lines are those that ran to standard output.
 */
import { gzipSync } from 'node:zlib';
import { time } from '@datadog/pprof';

const MICROS = 1_000_000;

function burn(micros) {
  const untilMs = performance.now() + micros / 1_000;
  while (performance.now() < untilMs);
}

function price() {
  burn(30_000); // line 15
  burn(10_000); // line 16
}

time.start({ intervalMicros: 1_000, lineNumbers: true, workaroundV8Bug: false });
const untilMs = performance.now() + MICROS / 1_000;
while (performance.now() < untilMs) price();
const profile = time.stop();
process.stdout.write(gzipSync(profile.encode()));
