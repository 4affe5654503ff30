import { describe, expect, it } from 'vitest';
import { parseName, parsePyroscopeQuery } from './pyroscope-request.js';

const NOW = 1_795_164_300_000;
const parse = (query: string) => parsePyroscopeQuery(new URLSearchParams(query), NOW);

describe('parseName', () => {
  it.each([
    ['shop', 'shop', []],
    ['shop{}', 'shop', []],
    ['shop{region=eu-1}', 'shop', [['region', 'eu-1']]],
    [
      'checkout.api{region=eu-1,pod=p "q",x}',
      'checkout.api',
      [
        ['pod', 'p "q",x'],
        ['region', 'eu-1'],
      ],
    ], // as 0.4.5 sends a value with a comma
    ['shop{a="b"}', 'shop', [['a', 'b']]],
    ['shop{a==b}', 'shop', [['a', '=b']]],
    ['shop{a=}', 'shop', [['a', '']]],
    ['shop{a=1', 'shop', [['a', '1']]],
    ['shop{,,=x}', 'shop', []],
    ['shop{a=1,a=2}', 'shop', [['a', '2']]],
    ['shop{__proto__=x}', 'shop', [['__proto__', 'x']]],
  ])('reads %s', (text, name, tags) => {
    expect(parseName(text)).toEqual({ name, tags });
  });
});

describe('parsePyroscopeQuery', () => {
  it('reads what client 0.6.4 sends', () => {
    const name =
      'checkout.api{otel.scope.name=com.grafana.pyroscope/nodejs,otel.scope.version=0.6.4,process.runtime.name=nodejs,process.runtime.version=20.20.2,service_git_ref=abc,env=prod,hostname=h1}';
    expect(
      parse(`format=pprof&from=1795164280&name=${encodeURIComponent(name)}&spyName=nodespy&until=1795164290&sampleRate=400`),
    ).toMatchObject({
      service: 'checkout.api',
      revision: 'abc',
      environment: 'prod',
      host: 'h1',
      nodeVersion: 'v20.20.2',
      agentVersion: 'pyroscope nodespy 0.6.4',
      fromMs: 1_795_164_280_000,
      untilMs: 1_795_164_290_000,
      sampleRateHz: 400,
      form: 'detect',
    });
  });

  it.each([
    ['seconds', '1795164280'],
    ['milliseconds', '1795164280000'],
    ['microseconds', '1795164280000000'],
    ['nanoseconds', '1795164280000000000'],
  ])('tells %s by their size', (_, from) => {
    expect(parse(`name=a&from=${from}&until=1795164290`).fromMs).toBe(1_795_164_280_000);
  });

  it('gives a range that is not empty when both ends fall into one second', () => {
    expect(parse('name=a&from=1795164280&until=1795164280')).toMatchObject({
      fromMs: 1_795_164_280_000,
      untilMs: 1_795_164_280_001,
    });
  });

  it.each([
    ['', 'PYROSCOPE_NAME'],
    ['name=%7Ba=b%7D', 'PYROSCOPE_NAME'],
    ['name=a&format=jfr', 'PYROSCOPE_FORMAT'],
    ['name=a&format=__proto__', 'PYROSCOPE_FORMAT'],
  ])('refuses %s', (query, code) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code }));
  });
});
