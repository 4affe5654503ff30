import { describe, expect, it } from 'vitest';
import { comparisonId, parseComparisonId } from './comparison-id.js';

const side = { selection: { service: 'shop', type: 'cpu', fromMs: 0, untilMs: 60_000, maxNodes: 100 }, inputVersion: '1.1' };

describe('comparisonId', () => {
  it('is the same for the same question, however it was written', () => {
    const other = {
      selection: { maxNodes: 5, untilMs: 60_000, fromMs: 0, type: 'cpu', service: 'shop', revision: undefined },
      inputVersion: '1.1',
    };
    expect(comparisonId(7, side, side)).toBe(comparisonId(7, other, side));
  });
  it('is another once data arrived, and with the sides exchanged', () => {
    const later = { ...side, inputVersion: '1.2' };
    expect(new Set([comparisonId(7, side, side), comparisonId(7, side, later), comparisonId(7, later, side)]).size).toBe(3);
  });
  it('leads back to its row', () => {
    const id = comparisonId(7, side, side);
    expect(parseComparisonId(id)).toEqual({ serviceId: 7, id });
    expect(parseComparisonId(`${id}' OR 1=1`)).toBeUndefined();
    expect(parseComparisonId('__proto__')).toBeUndefined();
  });
});
