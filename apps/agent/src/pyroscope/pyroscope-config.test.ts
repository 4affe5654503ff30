import { expect, it } from 'vitest';
import { readPyroscopeEnvironment } from '../options/environment.js';
import type { AgentOptions } from '../options/options.js';
import { agentOptions, type PyroscopeConfig } from './pyroscope-config.js';

const options = (config: PyroscopeConfig, variables: Record<string, string> = {}): AgentOptions =>
  agentOptions(config, readPyroscopeEnvironment(variables));

it('agentOptions lets an option win over its variable, and the ad hoc address over both', () => {
  const variables = {
    PYROSCOPE_SERVER_ADDRESS: 'http://of-variable',
    PYROSCOPE_APPLICATION_NAME: 'of-variable',
    PYROSCOPE_AUTH_TOKEN: 'of-variable',
    PYROSCOPE_FLUSH_INTERVAL_MS: '2000',
    PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS: '20000',
  };
  const ofVariables = { url: 'http://of-variable', service: 'of-variable', key: 'of-variable', periodMs: 2_000, rateHz: 50 };
  expect(options({}, variables)).toMatchObject(ofVariables);
  const config = {
    serverAddress: 'http://of-option',
    appName: 'of-option',
    authToken: 'of-option',
    flushIntervalMs: 3_000,
    wall: { samplingIntervalMicros: 10_000 },
  };
  const ofOptions = { url: 'http://of-option', service: 'of-option', key: 'of-option', periodMs: 3_000, rateHz: 100 };
  expect(options(config, variables)).toMatchObject(ofOptions);
  expect(options(config, { PYROSCOPE_ADHOC_SERVER_ADDRESS: 'http://ad-hoc' }).url).toBe('http://ad-hoc');
  // Nothing said: the agent's own variables and defaults hold.
  expect(Object.values(options({})).filter((value) => value !== undefined)).toEqual([]);
  expect(Object.values(options({}, { PYROSCOPE_FLUSH_INTERVAL_MS: 'often' })).filter((value) => value !== undefined)).toEqual([]);
});

it('agentOptions reads the release from the tags, and the key from a password', () => {
  const tags = { service_name: 'cart', git_ref: 'abc', env: 'production', shard: 7 };
  expect(options({ appName: 'shop', tags, basicAuthUser: 'me', basicAuthPassword: 'the-key' })).toMatchObject({
    service: 'cart',
    revision: 'abc',
    environment: 'production',
    labels: tags,
    key: 'the-key',
  });
  expect(options({ serverAddress: 'http://host:4040/pyroscope/' }).url).toBe('http://host:4040');
});

it('agentOptions takes the nearest period and rate that the agent has', () => {
  const periodMs = (flushIntervalMs: number) => options({ flushIntervalMs }).periodMs;
  expect([999, 1_000, 60_000, 60_001].map(periodMs)).toEqual([1_000, 1_000, 60_000, 60_000]);
  const rateHz = (samplingIntervalMicros: number) => options({ wall: { samplingIntervalMicros } }).rateHz;
  expect([1, 2_000, 1_000_000, 1_000_001].map(rateHz)).toEqual([500, 500, 1, 1]);
  expect([periodMs(0), periodMs(Number.NaN), rateHz(-1)]).toEqual([undefined, undefined, undefined]);
});
