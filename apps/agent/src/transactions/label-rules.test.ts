import { describe, expect, it } from 'vitest';
import { cleanLabels } from './label-limits.js';
import { LabelRules } from './label-rules.js';

const rulesOf = (settings: Partial<ConstructorParameters<typeof LabelRules>[0]>, key = 'key') =>
  new LabelRules({ allow: undefined, redact: [], hash: [], ...settings }, key);

describe('LabelRules', () => {
  it('hides, hashes and leaves out by name, exact or by its beginning', () => {
    const rules = rulesOf({ allow: ['plan', 'user*', 'secret'], redact: ['secret', 'user_name'], hash: ['user*'] });
    const labels = cleanLabels({ plan: 'pro', planned: 1, user: 'ada', user_name: 'Ada', secret: 's', other: 'x' }, rules);
    expect(labels).toEqual([
      ['plan', 'pro'],
      ['user', expect.stringMatching(/^[0-9a-f]{16}$/) as string],
      ['user_name', '(redacted)'],
      ['secret', '(redacted)'],
    ]);
    expect(cleanLabels({ a: 1 }, rulesOf({ allow: [] }))).toEqual([]);
    expect(cleanLabels({ a: 1 }, rulesOf({ redact: ['*'] }))).toEqual([['a', '(redacted)']]);
  });
  it('hashes one value alike under every name, and differently with another key', () => {
    const hash = (name: string, value: string, key?: string) => rulesOf({ hash: ['*'] }, key).apply(name, value);
    expect(hash('user', 'ada')).toBe(hash('customer', 'ada'));
    expect(hash('user', 'ada')).not.toBe(hash('user', 'bob'));
    expect(hash('user', 'ada')).not.toBe(hash('user', 'ada', 'other'));
  });
  it('tells values apart that are cut before they are sent', () => {
    const long = 'x'.repeat(1_000);
    const hashed = (user: string) => cleanLabels({ user }, rulesOf({ hash: ['user'] }))[0]![1];
    expect(hashed(`${long}a`)).not.toBe(hashed(`${long}b`));
    expect(hashed('x'.repeat(1_000_000))).not.toBe(hashed('x'.repeat(1_000_001)));
  });
  it('goes by the name that is sent, and remembers few', () => {
    const name = 'n'.repeat(500);
    expect(cleanLabels({ [name]: 'x' }, rulesOf({ redact: [`${'n'.repeat(99)}*`] }))[0]![1]).toBe('(redacted)');
    const rules = rulesOf({ redact: ['secret*'] });
    for (let at = 0; at < 5_000; at += 1) expect(rules.apply(`secret${at}`, 'x')).toBe('(redacted)');
  });
});
