import { describe, expect, it } from 'vitest';
import { formatSpan, resolveTime } from './moment.js';
import { shortRevision, visibleText } from './visible-text.js';

describe('resolveTime', () => {
  it('reads every form that the API takes', () => {
    expect(resolveTime('now', 1000)).toBe(1000);
    expect(resolveTime('now-15m', 1_000_000)).toBe(100_000);
    expect(resolveTime('1763600000000', 0)).toBe(1_763_600_000_000);
    expect(resolveTime('2025-11-20T00:53:20Z', 0)).toBe(1_763_600_000_000);
  });
  it('refuses what is not a time', () => {
    expect(resolveTime('now-1y', 0)).toBeUndefined();
    expect(resolveTime('yesterday', 0)).toBeUndefined();
  });
});

describe('formatSpan', () => {
  it('changes its unit at ninety', () => {
    expect([89_000, 90_000, 89 * 60_000, 90 * 60_000].map(formatSpan)).toEqual(['89 s', '2 min', '89 min', '2 h']);
  });
});

describe('visibleText', () => {
  it('keeps HTML, quotes and emoji as they are', () => {
    expect(visibleText('<b>"x"</b> 🙂 __proto__')).toBe('<b>"x"</b> 🙂 __proto__');
  });
  it('shows what would draw nothing or turn the line around', () => {
    expect(visibleText('a\0b\n')).toBe('a⟨U+0000⟩b⟨U+000A⟩');
    expect(visibleText('a\u202eb')).toBe('a⟨U+202E⟩b');
  });
});

describe('shortRevision', () => {
  it('shortens a SHA and nothing else', () => {
    expect(shortRevision('0123456789abcdef0123456789abcdef01234567')).toBe('01234567');
    expect(shortRevision('v1.2.3-release-candidate')).toBe('v1.2.3-release-candidate');
  });
});
