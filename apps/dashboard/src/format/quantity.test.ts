import { describe, expect, it } from 'vitest';
import {
  formatChangePct,
  formatDelta,
  formatIn,
  formatIntervalPct,
  formatNumber,
  formatQuantity,
  formatShare,
  scaleFor,
} from './quantity.js';

describe('scaleFor', () => {
  it('changes from microseconds to milliseconds at a thousand', () => {
    expect(scaleFor('microseconds', 999).unit).toBe('µs');
    expect(scaleFor('microseconds', 1000).unit).toBe('ms');
  });
  it('counts bytes by 1024', () => {
    expect(scaleFor('bytes', 1023).unit).toBe('B');
    expect(scaleFor('bytes', 1024).unit).toBe('KiB');
  });
  it('keeps a unit that it does not know', () => {
    expect(scaleFor('cores', 12)).toEqual({ unit: 'cores', divisor: 1 });
  });
});

describe('formatNumber', () => {
  it('writes three figures', () => {
    expect([0, 0.1234, 1.234, 12.34, 123.4, 12345.6].map((value) => formatNumber(value))).toEqual([
      '0',
      '0.123',
      '1.23',
      '12.3',
      '123',
      '12,346',
    ]);
  });
  it('leaves whole numbers whole', () => {
    expect([1, 12, 123, 1234].map((value) => formatNumber(value))).toEqual(['1', '12', '123', '1,234']);
  });
  it('never writes something as nothing', () => {
    expect(formatNumber(0.00001)).toBe('<0.001');
    expect(formatNumber(Number.NaN)).toBe('–');
  });
  it('does not lose a figure where it changes its decimals', () => {
    expect(formatNumber(9.996)).toBe('10.0');
    expect(formatNumber(99.96)).toBe('100');
  });
});

describe('quantities', () => {
  it('says the unit once, in the header, for a column', () => {
    const scale = scaleFor('microseconds', 2_500_000);
    expect([12_000_000, 2_500_000, 12_000, null].map((value) => formatIn(scale, value))).toEqual(['12.0', '2.50', '0.012', '–']);
  });
  it('carries its unit alone', () => {
    expect(formatQuantity(1500, 'microseconds')).toBe('1.50\u202fms');
    expect(formatQuantity(3 * 1024 ** 3, 'bytes')).toBe('3\u202fGiB');
    expect(formatQuantity(12, 'count')).toBe('12');
  });
  it('shows the sign of a change', () => {
    expect(formatDelta(1500, 'microseconds')).toBe('+1.50\u202fms');
    expect(formatDelta(-1500, 'microseconds')).toBe('\u22121.50\u202fms');
    expect(formatChangePct(12.34)).toBe('+12.3\u202f%');
    expect(formatChangePct(-0.01)).toBe('0.0\u202f%');
    expect(formatIntervalPct([-1.26, 150.4])).toBe('[\u22121.3, +150]\u202f%');
    expect(formatShare(0.1234)).toBe('12.3\u202f%');
  });
});
