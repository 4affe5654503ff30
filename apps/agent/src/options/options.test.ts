import { describe, expect, it } from 'vitest';
import { readEnvironment } from './environment.js';
import { isOptionFault, resolveSettings, type AgentOptions, type AgentSettings } from './options.js';

const settle = (options: AgentOptions, variables: Record<string, string> = {}) =>
  resolveSettings({ key: 'k', ...options }, readEnvironment(variables));
const settings = (options: AgentOptions, variables?: Record<string, string>) => settle(options, variables) as AgentSettings;

describe('resolveSettings', () => {
  it('lets an option win over its variable, and has defaults for the rest', () => {
    expect(settings({ service: 'mine' }, { HEARTH_SERVICE: 'theirs' }).service).toBe('mine');
    expect(settings({}, { HEARTH_SERVICE: 'theirs' }).service).toBe('theirs');
    expect(settings({}).url.href).toBe('http://127.0.0.1:4040/api/v1/batches');
    expect(settings({ url: 'https://example.org/hearth/' }).url.href).toBe('https://example.org/hearth/api/v1/batches');
    expect(settings({})).toMatchObject({
      environment: 'development',
      rateHz: 99,
      periodMs: 10_000,
      heap: 'in-use',
      http: 'transactions',
      remote: 'on',
      waits: 'on',
      maxBufferedBytes: 8_388_608,
    });
    expect(settings({}, { HEARTH_WAITS: 'off' }).waits).toBe('off');
    expect(settings({ waits: 'on' }, { HEARTH_WAITS: 'off' }).waits).toBe('on');
    expect([settings({}), settings({}, { HEARTH_SOURCE_MAPS: 'no' })].map(({ sourceMaps }) => sourceMaps)).toEqual([
      'off',
      'off',
    ]);
    expect(settings({}, { HEARTH_SOURCE_MAPS: 'send' }).sourceMaps).toBe('send');
    expect(settings({ sourceMaps: 'off' }, { HEARTH_SOURCE_MAPS: 'send-with-sources' }).sourceMaps).toBe('off');
    expect(isOptionFault(settle({}, { HEARTH_SOURCE_MAPS: 'on' }))).toBe(true); // nobody knows whether the code in them, too
    expect(settings({}, { NODE_ENV: 'test', HEARTH_ENVIRONMENT: 'staging' }).environment).toBe('staging');
    expect(settings({}, { HEARTH_REMOTE: 'off' }).remote).toBe('off');
    expect(settings({ remote: 'on' }, { HEARTH_REMOTE: 'off' }).remote).toBe('on');
    expect(settings({ remote: 'perhaps' as never }).remote).toBe('off');
    expect(settings({})).toMatchObject({ spoolDir: undefined, maxSpooledBytes: 268_435_456 });
    expect(settings({}, { HEARTH_SPOOL_DIR: '/var/spool/x/', HEARTH_SPOOL_MAX_BYTES: '2e6' })).toMatchObject({
      spoolDir: '/var/spool/x',
      maxSpooledBytes: 2_000_000,
    });
    expect(isOptionFault(settle({}, { HEARTH_SPOOL_MAX_BYTES: 'much' }))).toBe(true);
    expect(settings({})).toMatchObject({ budgetCpuPct: 10, budgetPauseMs: 100 });
    expect(settings({}, { HEARTH_BUDGET_CPU_PCT: '0.5', HEARTH_BUDGET_PAUSE_MS: '20' })).toMatchObject({
      budgetCpuPct: 0.5,
      budgetPauseMs: 20,
    });
    expect(isOptionFault(settle({}, { HEARTH_BUDGET_CPU_PCT: 'little' }))).toBe(true);
    expect(settings({}, { HEARTH_LABELS: 'b=2, a=1=1,nothing,=x' }).labels).toEqual([
      ['a', '1=1'],
      ['b', '2'],
    ]);
  });

  it('refuses what it cannot use, in one line', () => {
    const faults: AgentOptions[] = [
      { key: '' },
      { url: 'ftp://x' },
      { url: 'x' },
      { key: 'a b' },
      { rateHz: 0 },
      { rateHz: 501 },
      { periodMs: 999 },
      { periodMs: 60_001 },
      { rateHz: '99' as never },
      { maxSpooledBytes: 1_048_575 },
      { budgetCpuPct: 0.09 },
      { budgetCpuPct: 100.1 },
      { budgetPauseMs: 0 },
      { budgetPauseMs: 10_001 },
      ...[
        { slowTransactionMs: 0 },
        { slowTransactionMs: 3_600_001 },
        { cpuPct: 0 },
        { cpuPct: 10_001 },
        { heapPct: 0 },
        { heapPct: 101 },
        { rateHz: 1 },
        { rateHz: 501 },
        { durationMs: 999 },
        { durationMs: 60_001 },
        { signal: 'SIGTERM' as never },
      ].map((triggers) => ({ triggers })),
    ];
    for (const options of faults) {
      const fault = settle(options);
      expect(isOptionFault(fault) && !fault.message.includes('\n')).toBe(true);
    }
    for (const options of [
      { rateHz: 1 },
      { rateHz: 500 },
      { periodMs: 1_000 },
      { periodMs: 60_000 },
      { maxSpooledBytes: 1_048_576 },
      { budgetCpuPct: 0.1 },
      { budgetCpuPct: 100 },
      { budgetPauseMs: 1 },
      { budgetPauseMs: 10_000 },
      { triggers: { slowTransactionMs: 1, cpuPct: 1, heapPct: 1, rateHz: 2, durationMs: 1_000, signal: 'SIGUSR2' } as const },
      { triggers: { slowTransactionMs: 3_600_000, cpuPct: 10_000, heapPct: 100, rateHz: 500, durationMs: 60_000 } },
    ])
      expect(isOptionFault(settle(options))).toBe(false);
  });

  it('raises the rate for nothing but what it is told', () => {
    const off = {
      slowTransactionMs: Infinity,
      cpuPct: Infinity,
      heapPct: Infinity,
      signal: 'off',
      rateHz: 499,
      durationMs: 30_000,
    };
    expect(settings({}).triggers).toEqual(off);
    const variables = {
      HEARTH_TRIGGER_SLOW_MS: '800',
      HEARTH_TRIGGER_CPU_PCT: '90',
      HEARTH_TRIGGER_HEAP_PCT: '85',
      HEARTH_TRIGGER_SIGNAL: 'SIGUSR2',
    };
    const said = { ...off, slowTransactionMs: 800, cpuPct: 90, heapPct: 85, signal: 'SIGUSR2' };
    expect(settings({}, variables).triggers).toEqual(said);
    expect(settings({ triggers: { cpuPct: 50 } }, variables).triggers).toEqual({ ...said, cpuPct: 50 });
    expect(settings({}, { HEARTH_TRIGGER_SIGNAL: 'off' }).triggers.signal).toBe('off');
    for (const [name, value] of [
      ['HEARTH_TRIGGER_SLOW_MS', 'slow'],
      ['HEARTH_TRIGGER_SIGNAL', 'SIGINT'],
    ] as const)
      expect(isOptionFault(settle({}, { [name]: value }))).toBe(true);
  });

  it('has rules for labels, and none that are half understood', () => {
    expect(settings({}).labelRules).toBeUndefined();
    const { labelRules } = settings(
      { redact: ['email'] },
      { HEARTH_REDACT: 'name', HEARTH_HASH: 'user*, ,', HEARTH_ALLOW: 'email,user*' },
    );
    expect(labelRules!.apply('email', 'x')).toBe('(redacted)');
    expect(labelRules!.apply('user_id', 'x')).toMatch(/^[0-9a-f]{16}$/);
    expect(labelRules!.apply('name', 'x')).toBeUndefined();
    const wrong: readonly object[] = [
      { redact: 'email' },
      { hash: [''] },
      { allow: [1] },
      { redact: ['x'.repeat(101)] },
      { hash: { 0: 'a', length: 1 } },
    ];
    for (const options of wrong) expect(isOptionFault(settle(options as AgentOptions))).toBe(true);
    expect(isOptionFault(settle({ hash: Array.from({ length: 101 }, () => 'a') }))).toBe(true);
  });
});

describe('readEnvironment', () => {
  it('takes the first variable that names a revision', () => {
    expect(readEnvironment({ GITHUB_SHA: 'ci', HEARTH_REVISION: 'own' }).revision).toBe('own');
    expect(readEnvironment({ GITHUB_SHA: 'ci', RENDER_GIT_COMMIT: 'platform' }).revision).toBe('platform');
    expect(readEnvironment({ HEARTH_REVISION: ' ' }).revision).toBeUndefined();
  });

  it('is off only where it is said', () => {
    for (const value of ['off', 'OFF', 'false', '0', 'no'])
      expect(readEnvironment({ HEARTH_ENABLED: value }).isEnabled).toBe(false);
    for (const value of ['on', '1', '', 'yes']) expect(readEnvironment({ HEARTH_ENABLED: value }).isEnabled).toBe(true);
    expect(readEnvironment({}).isEnabled).toBe(true);
  });
});
